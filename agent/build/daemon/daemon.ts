/** Runs the BuildKit daemon for an agent that was given none: below its own cgroup, and never longer than the agent. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { StalledError } from '../../../platform/errors/errors.ts';
import { ensureCgroup, procsFiles, type CgroupHost } from '../../cgroup/cgroup.ts';
import { systemClock } from '../../loop/clock.ts';
import { startChild, type Child } from '../../process/child.ts';
import { renderInitScript, runtimeStateDirectory } from '../../process/containment.ts';
import { linesSaid } from '../../process/lines-said.ts';
import { untilReady } from '../../process/ready.ts';
import { supervise } from '../../process/supervise.ts';
import { socketPathFor } from '../../storage/socket-path.ts';
import { connectBuildKit } from '../buildkit/client.ts';
import { daemonVariables, renderDaemonConfig } from './config.ts';

export interface DaemonOptions {
  /** The program, on PATH or absolute. */
  program: string;
  dataDir: string;
  env: Readonly<Record<string, string>>;
  insecureRegistries: readonly string[];
  cgroups: CgroupHost;
  /** The cgroup above the daemon and everything it builds. */
  cgroup: string;
  memoryBytes: number;
  maxParallelism: number;
  /** What the daemon says. */
  onLine: (line: string) => void;
  /** What has become of it. */
  log: (line: string) => void;
}

export interface Daemon {
  /** `unix://…` */
  readonly address: string;
  readonly stop: () => Promise<void>;
}

const readyWithinMs = 20_000;
const gigabyte = 1024 ** 3;

/** Below which every step runs. */
export function stepsCgroup(cgroup: string): string {
  return `${cgroup}/steps`;
}

export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const root = path.join(options.dataDir, 'buildkit');
  await mkdir(root, { recursive: true, mode: 0o700 });
  const socketPath = socketPathFor(options.dataDir, 'buildkitd.sock');
  const initScript = path.join(root, 'init.sh');
  const config = path.join(root, 'buildkitd.toml');
  await rm(socketPath, { force: true });
  await writeFile(initScript, renderInitScript());
  await writeFile(config, renderDaemonConfig(daemonConfig(options, root, socketPath)));
  const own = `${options.cgroup}/daemon`;
  // Under contention builds get a quarter of what everything else gets (P80).
  const limits = { cpuMillis: null, memoryBytes: options.memoryBytes, cpuWeight: 250 };
  await ensureCgroup(options.cgroups, options.cgroup, limits);
  await ensureCgroup(options.cgroups, own, { cpuMillis: null, memoryBytes: null, cpuWeight: null });
  const said = linesSaid(20);
  const start = (): Child =>
    startChild({
      argv: [options.program, '--config', config],
      env: { ...options.env, ...daemonVariables },
      containment: {
        kind: 'contained',
        initScript,
        privateDirectories: [runtimeStateDirectory('runc')],
        cgroupProcs: procsFiles(options.cgroups, own),
      },
      onLine: (line) => {
        said.add(line);
        options.onLine(line);
      },
    });
  const child = start();
  const address = `unix://${socketPath}`;
  const client = connectBuildKit(address);
  await untilReady({
    child,
    withinMs: readyWithinMs,
    ping: () => client.info(),
    notReady: (cause) => notReady(said.last(3), cause),
  });
  client.close();
  const what = 'BuildKit';
  const daemon = supervise(child, { what, start, clock: systemClock, pauseMs: 1_000, log: options.log });
  return { address, stop: () => daemon.stop(5_000) };
}

function daemonConfig(options: DaemonOptions, root: string, socketPath: string) {
  return {
    root: path.join(root, 'root'),
    socketPath,
    insecureRegistries: options.insecureRegistries,
    cgroupParent: stepsCgroup(options.cgroup),
    maxCacheBytes: 20 * gigabyte,
    minFreeBytes: 2 * gigabyte,
    maxParallelism: options.maxParallelism,
  };
}

function notReady(said: string, cause: unknown): StalledError {
  return new StalledError('builder_unavailable', `BuildKit (buildkitd) did not start. ${said}`, {
    hint: 'Install buildkitd and runc on this node, or start the agent with --no-build.',
    cause,
  });
}
