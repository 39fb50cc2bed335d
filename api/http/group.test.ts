import { describe, expect, it } from 'vitest';
import { groupCalls } from './group.ts';

describe('groupCalls', () => {
  it('puts calls of one moment into one group, in order', async () => {
    const groups: number[][] = [];
    const double = groupCalls<number, number>((items) => {
      groups.push([...items]);
      return Promise.resolve(items.map((item) => item * 2));
    }, 10);
    expect(await Promise.all([1, 2, 3].map(double))).toEqual([2, 4, 6]);
    expect(groups).toEqual([[1, 2, 3]]);
  });

  it('gathers what arrives while a group is under way, up to the maximum', async () => {
    const groups: number[][] = [];
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const call = groupCalls<number, number>(async (items) => {
      groups.push([...items]);
      if (groups.length === 1) {
        setImmediate(() => setImmediate(release));
        await held;
      }
      return items;
    }, 2);
    const first = call(1);
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([first, call(2), call(3), call(4)]);
    expect(groups).toEqual([[1], [2, 3], [4]]);
  });

  it('fails the calls of a failed group, and goes on', async () => {
    const call = groupCalls<number, number>(
      (items) => (items.includes(1) ? Promise.reject(new Error('down')) : Promise.resolve(items)),
      1,
    );
    const answers = await Promise.allSettled([call(1), call(2)]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(await call(3)).toBe(3);
  });
});
