import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDirectory } from './lock.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'landfall-lock-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('the lock of a data directory', () => {
  it('is held by one agent, and free again after it', async () => {
    const lock = await lockDirectory(dir);
    await expect(lockDirectory(dir)).rejects.toMatchObject({
      code: 'already_running',
      message: `Another agent (process ${process.pid}) uses ${dir}.`,
    });
    lock.release();
    (await lockDirectory(dir)).release();
  });

  it('is got by one of several agents that start together', async () => {
    const attempts = await Promise.allSettled(Array.from({ length: 5 }, () => lockDirectory(dir)));
    expect(attempts.map(({ status }) => status).toSorted()).toEqual([
      'fulfilled',
      ...Array<string>(4).fill('rejected'),
    ]);
    for (const attempt of attempts) if (attempt.status === 'fulfilled') attempt.value.release();
  });

  it.each(['999999999 1', `${process.pid} 1`, 'torn', ''])(
    'is taken over from a process that is gone: %j',
    async (holder) => {
      await writeFile(path.join(dir, 'agent.lock'), holder);
      (await lockDirectory(dir)).release();
    },
  );
});
