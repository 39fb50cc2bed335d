/** What systemd says of a unit. It ends well over keys that it does not know and values that it cannot read, and only mentions them. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { testFolder } from './folder.ts';
import { part } from './parts.ts';

/** Nothing, of a unit that it understands whole. */
export async function complaintsAbout(unit: string): Promise<string[]> {
  const file = path.join(testFolder(), 'landfall-test.service');
  writeFileSync(file, unit);
  const { status, stderr } = spawnSync(await part('systemd-analyze'), ['verify', file], { encoding: 'utf8' });
  const named = stderr.split('\n').filter((line) => line.includes('landfall-test'));
  return status === 0 ? named : [`systemd-analyze ended with ${status}`, ...named];
}
