import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { build } from './build.mjs';
import { packageRoot } from './root.ts';

/** Command lines of the processes that this one has started and that are there still. */
function children(): string[] {
  const tasks = `/proc/${process.pid}/task`;
  const pids = readdirSync(tasks).flatMap((task) =>
    readFileSync(`${tasks}/${task}/children`, 'utf8').trim().split(' ').filter(Boolean),
  );
  return pids.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
}

it('leaves no helper of the bundler running', async () => {
  rmSync(path.join(packageRoot(), 'dist', 'build.json'), { force: true });
  const said: string[] = [];
  await build((line) => said.push(line));
  expect(said).toEqual(['bundling the sources into dist/']);
  expect(children().filter((line) => line.includes('esbuild'))).toEqual([]);
});
