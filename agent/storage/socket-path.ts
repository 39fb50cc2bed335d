/** Where a unix socket lies: in the data directory unless its path would be longer than the kernel takes. */
import os from 'node:os';
import path from 'node:path';
import { instanceName } from './instance.ts';

const maxSocketPath = 100;

export function socketPathFor(dataDir: string, name: string): string {
  const inside = path.resolve(dataDir, name);
  return inside.length <= maxSocketPath ? inside : path.join(os.tmpdir(), `landfall-${instanceName(dataDir)}-${name}`);
}
