import { describe, expect, it } from 'vitest';
import { groupCalls } from './group-calls.ts';

/** Groups that end when the test says so. */
function heldGroups() {
  const groups: { items: number[]; end: (error?: Error) => void }[] = [];
  const run = (items: readonly number[]): Promise<string[]> =>
    new Promise((resolve, reject) => {
      groups.push({
        items: [...items],
        end: (error) => (error === undefined ? resolve(items.map((item) => `done ${item}`)) : reject(error)),
      });
    });
  return { run, groups, items: () => groups.map((group) => group.items) };
}

const loopTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('groupCalls', () => {
  it('puts calls of one moment into one group, in order', async () => {
    const { run, groups, items } = heldGroups();
    const answers = Promise.all([1, 2, 3].map(groupCalls(run, { maxItems: 10 })));
    await loopTurn();
    groups[0]!.end();
    expect(await answers).toEqual(['done 1', 'done 2', 'done 3']);
    expect(items()).toEqual([[1, 2, 3]]);
  });

  it('sends one alone at once, and what arrives meanwhile together, up to the maximum', async () => {
    const { run, groups, items } = heldGroups();
    const call = groupCalls(run, { maxItems: 2 });
    const first = call(1);
    await loopTurn();
    const later = [call(2), call(3), call(4)];
    await loopTurn();
    expect(items()).toEqual([[1]]);
    groups[0]!.end();
    expect(await first).toBe('done 1');
    await loopTurn();
    expect(items()).toEqual([[1], [2, 3]]);
    groups[1]!.end();
    await loopTurn();
    groups[2]!.end();
    expect(await Promise.all(later)).toEqual(['done 2', 'done 3', 'done 4']);
  });

  it('fails the calls of a failed group, and goes on', async () => {
    const { run, groups } = heldGroups();
    const call = groupCalls(run, { maxItems: 10 });
    const both = [call(1), call(2)].map((called) => called.catch((error: unknown) => error));
    await loopTurn();
    const failure = new Error('connection lost');
    groups[0]!.end(failure);
    expect(await Promise.all(both)).toEqual([failure, failure]);
    const next = call(3);
    await loopTurn();
    groups[1]!.end();
    expect(await next).toBe('done 3');
  });

  it('fails a group that is answered in part', async () => {
    const call = groupCalls(() => Promise.resolve([]), { maxItems: 10 });
    await expect(call(1)).rejects.toThrow('in part');
  });

  it('keeps groups within their size, and lets one that is larger go by itself', async () => {
    const { run, items } = heldGroups();
    const size = { max: 1_000, of: (item: number) => item };
    const call = groupCalls(run, { maxItems: 3, concurrency: 9, size });
    for (const item of [600, 600, 5_000, 1, 2, 3, 4]) void call(item);
    await loopTurn();
    expect(items()).toEqual([[600], [600], [5_000], [1, 2, 3], [4]]);
  });
});
