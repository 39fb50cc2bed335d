/** What tells two agents on one machine apart: their data directories. */
import { createHash } from 'node:crypto';
import path from 'node:path';

/** Eight hex digits, for the names of cgroups and directories that are machine-wide. */
export function instanceName(dataDir: string): string {
  return createHash('sha256').update(path.resolve(dataDir)).digest('hex').slice(0, 8);
}

/** For what must not outlive the machine's memory. */
export function runDirFor(dataDir: string): string {
  return path.join('/run', `landfall-${instanceName(dataDir)}`);
}
