import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testDirectory } from './agent.ts';
import { descendantsOf, lineOf, names, processesOf } from './processes.ts';

let root: string;
const children: ChildProcess[] = [];

async function start(cwd: string, ...argv: string[]): Promise<number> {
  await mkdir(cwd, { recursive: true });
  const child = spawn(argv[0] ?? '', argv.slice(1), { cwd, stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${argv.join(' ')} ended.`)));
  await Promise.race([once(child.stdout, 'data'), ended]);
  return child.pid!;
}

/** Says that it runs, and then keeps a child. */
const program = (...more: string[]): string[] => [
  process.execPath,
  '-e',
  `require('node:child_process').spawn('sleep', ['1000']).once('spawn', () => console.log('ready'))`,
  '--',
  ...more,
];

beforeAll(async () => (root = await testDirectory()));
afterAll(async () => {
  for (const child of children) {
    const exited = once(child, 'exit');
    for (const { pid } of descendantsOf(child.pid!)) process.kill(pid, 'SIGKILL');
    await exited;
  }
  await rm(root, { recursive: true, force: true });
});

it('finds what names the folder or works in it, with its children, and nothing of a folder beside it', async () => {
  const [one, two] = [path.join(root, 'node'), path.join(root, 'node-2')];
  const named = await start('/', ...program('--data', path.join(one, 'agent')));
  const inside = await start(path.join(one, 'deep'), ...program());
  const other = await start(two, ...program('--data', two));
  const pids = (folder: string): number[] => processesOf(folder).map(({ pid }) => pid);
  expect(pids(one)).toEqual(expect.arrayContaining([named, inside]));
  expect(pids(one)).not.toContain(other);
  expect(pids(two)).toContain(other);
  expect(pids(two)).toHaveLength(2);
  expect(
    processesOf(one)
      .map(lineOf)
      .filter((line) => line === 'sleep 1000'),
  ).toHaveLength(2);
});

it('P68: tells folders apart whose names begin alike', () => {
  expect(names('--data=/tmp/a', '/tmp/a')).toBe(true);
  expect(names('root=/tmp/a,mode=1', '/tmp/a')).toBe(true);
  expect(names('/tmp/a/b', '/tmp/a')).toBe(true);
  expect(names('/tmp/ab /tmp/a', '/tmp/a')).toBe(true);
  for (const other of ['/tmp/ab', '/tmp/a-2', '/tmp/a.old', '/tmp']) expect(names(other, '/tmp/a')).toBe(false);
});
