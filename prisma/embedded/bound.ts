/** Programs that end with this process, however it ends: the kernel tells them (prctl(2), PR_SET_PDEATHSIG). */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';

export interface BoundProgram {
  argv: readonly [string, ...string[]];
  /** Sent to it when this process is gone. */
  signal: 'INT' | 'KILL';
}

export function spawnBound({ argv, signal }: BoundProgram, options: SpawnOptions): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', signal, '--', ...argv], options);
}
