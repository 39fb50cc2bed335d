import { describe, expect, it } from 'vitest';
import { groupCommit, type GroupLimits } from './group-commit.ts';

const limits: GroupLimits<number> = { concurrency: 1, maxItems: 100, maxSize: 1_000, sizeOf: (size) => size };

/** Commits that end when the test says so. */
function heldCommits() {
  const groups: { items: number[]; end: (error?: Error) => void }[] = [];
  const commit = (items: number[]): Promise<string[]> =>
    new Promise((resolve, reject) => {
      groups.push({
        items,
        end: (error) => (error === undefined ? resolve(items.map((item) => `done ${item}`)) : reject(error)),
      });
    });
  return { groups, commit };
}

const loopTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('groupCommit', () => {
  it('commits one alone at once, and what arrives meanwhile together', async () => {
    const { groups, commit } = heldCommits();
    const inbox = groupCommit(commit, limits);
    const first = inbox.add(1);
    await loopTurn();
    const later = [inbox.add(2), inbox.add(3)];
    await loopTurn();
    expect(groups.map(({ items }) => items)).toEqual([[1]]);
    groups[0]!.end();
    expect(await first).toBe('done 1');
    expect(groups.map(({ items }) => items)).toEqual([[1], [2, 3]]);
    groups[1]!.end();
    expect(await Promise.all(later)).toEqual(['done 2', 'done 3']);
  });

  it('tells everyone of a group that it failed, and goes on', async () => {
    const { groups, commit } = heldCommits();
    const inbox = groupCommit(commit, limits);
    const both = [inbox.add(1), inbox.add(2)].map((added) => added.catch((error: unknown) => error));
    await loopTurn();
    const failure = new Error('connection lost');
    groups[0]!.end(failure);
    expect(await Promise.all(both)).toEqual([failure, failure]);
    const next = inbox.add(3);
    await loopTurn();
    groups[1]!.end();
    expect(await next).toBe('done 3');
  });

  it('keeps groups within their size, and lets one that is larger go by itself', async () => {
    const { groups, commit } = heldCommits();
    const inbox = groupCommit(commit, { ...limits, concurrency: 9, maxItems: 3 });
    for (const size of [600, 600, 5_000, 1, 2, 3, 4]) void inbox.add(size);
    await loopTurn();
    expect(groups.map(({ items }) => items)).toEqual([[600], [600], [5_000], [1, 2, 3], [4]]);
  });
});
