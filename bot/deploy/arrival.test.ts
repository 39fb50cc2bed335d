import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { surelyNewest, type PushedHead } from './arrival.ts';

const move = (before: string, after: string): PushedHead => ({ before, after });
const [ab, bc, cd] = [move('a', 'b'), move('b', 'c'), move('c', 'd')];

describe('surelyNewest', () => {
  it('is sure of the first that is heard of a branch', () => {
    expect(surelyNewest(bc, [])).toBe(true);
  });

  it('is sure of one that follows the last arrival', () => {
    expect(surelyNewest(cd, [ab, bc])).toBe(true);
  });

  it('is not sure of one that was overtaken', () => {
    expect(surelyNewest(ab, [bc])).toBe(false);
  });

  it('is not sure when a delivery between is missing', () => {
    expect(surelyNewest(cd, [ab])).toBe(false);
  });

  it('is not sure of a way back, which looks like being overtaken', () => {
    expect(surelyNewest(move('b', 'a'), [move('0', 'a'), ab])).toBe(false);
  });

  it('is not sure of the way there when the way back arrived first', () => {
    expect(surelyNewest(ab, [move('0', 'a'), move('b', 'a')])).toBe(false);
  });

  it('is not sure of a late one that follows another late one', () => {
    expect(surelyNewest(bc, [move('d', 'e'), ab])).toBe(false);
  });

  it('is never sure of an older push once a newer one has arrived, in whatever order they do', () => {
    const pushes = Array.from({ length: 7 }, (_, index) => move(`c${index}`, `c${index + 1}`));
    fc.assert(
      fc.property(fc.shuffledSubarray(pushes, { minLength: 2 }), (arrived) => {
        const push = arrived.at(-1)!;
        const others = arrived.slice(0, -1);
        fc.pre(others.some((other) => pushes.indexOf(other) > pushes.indexOf(push)));
        expect(surelyNewest(push, others)).toBe(false);
      }),
    );
  });
});
