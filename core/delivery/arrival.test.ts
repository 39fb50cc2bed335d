import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideArrival, isSurelyNewest, type PushedHead } from './arrival.ts';

const move = (before: string, after: string): PushedHead => ({ before, after });
const [ab, bc, cd] = [move('a', 'b'), move('b', 'c'), move('c', 'd')];
const long = 3_600_000;

describe('isSurelyNewest', () => {
  it('is sure of the first that is heard of a branch', () => {
    expect(isSurelyNewest(bc, [])).toBe(true);
  });

  it('is sure of one that follows the last arrival', () => {
    expect(isSurelyNewest(cd, [ab, bc])).toBe(true);
  });

  it.each([
    ['was overtaken', ab, [bc]],
    ['follows one that did not arrive', cd, [ab]],
    ['is late and follows another late one', bc, [move('d', 'e'), ab]],
    ['P10: is a way back, which looks like being overtaken', move('b', 'a'), [move('0', 'a'), ab]],
    ['P10: is the way there, when the way back arrived first', ab, [move('0', 'a'), move('b', 'a')]],
    ['P10: brings the head once more', ab, [ab]],
  ])('is not sure of one that %s', (_what, push, others) => {
    expect(isSurelyNewest(push, others)).toBe(false);
  });

  it('is never sure of an older push once a newer one has arrived, in whatever order they do', () => {
    const pushes = Array.from({ length: 7 }, (_, index) => move(`c${index}`, `c${index + 1}`));
    fc.assert(
      fc.property(fc.shuffledSubarray(pushes, { minLength: 2 }), (arrived) => {
        const push = arrived.at(-1)!;
        const others = arrived.slice(0, -1);
        fc.pre(others.some((other) => pushes.indexOf(other) > pushes.indexOf(push)));
        expect(isSurelyNewest(push, others)).toBe(false);
      }),
    );
  });
});

describe('decideArrival', () => {
  it('P10: takes a push back to an earlier commit while it is the head', () => {
    const back = { push: move('b', 'a'), ageMs: long };
    expect(decideArrival({ ...back, atGithub: 'a' })).toEqual({ kind: 'newest' });
    expect(decideArrival({ ...back, atGithub: 'c' })).toMatchObject({ kind: 'ignored', code: 'out_of_order' });
  });

  it.each(['c', null])('ignores one that the branch has moved on from, with a sentence (%j)', (atGithub) => {
    for (const ageMs of [0, long])
      expect(decideArrival({ push: ab, atGithub, ageMs })).toEqual({
        kind: 'ignored',
        code: 'out_of_order',
        reason: expect.stringMatching(/\.$/) as string,
      });
  });

  it('waits while GitHub may not show a young push yet, and not for ever', () => {
    const behind = { push: cd, atGithub: 'c' };
    expect(decideArrival({ ...behind, ageMs: 500 })).toMatchObject({ kind: 'wait', code: 'github_behind' });
    expect(decideArrival({ ...behind, ageMs: 10_000 })).toMatchObject({ kind: 'ignored' });
  });

  /** What is deployed after these arrivals, which come when all pushes were made. */
  function deployed(arrivals: readonly PushedHead[], ledger: PushedHead[], atGithub: string): string | null {
    let sha: string | null = null;
    for (const push of arrivals) {
      const isNewest = isSurelyNewest(push, ledger) || decideArrival({ push, atGithub, ageMs: long }).kind === 'newest';
      if (isNewest) sha = push.after;
      ledger.push(push);
    }
    return sha;
  }

  /** Where a branch stood, one after the other. */
  const walks = fc
    .array(fc.constantFrom('b', 'c', 'd'), { minLength: 1, maxLength: 6 })
    .map((steps) => ['a', ...steps].filter((sha, index, all) => sha !== all[index - 1]));

  it('P10: whatever was pushed, back and forth, ends with the head, in whatever order it arrives', () => {
    fc.assert(
      fc.property(walks, fc.infiniteStream(fc.nat()), (walk, random) => {
        const pushes = walk.slice(1).map((after, index) => move(walk[index]!, after));
        const arrivals = pushes.map((push) => ({ push, rank: random.next().value })).sort((a, b) => a.rank - b.rank);
        const [first, head] = [walk[0]!, walk.at(-1)!];
        const ends = deployed(
          arrivals.map(({ push }) => push),
          [move('0', first)],
          head,
        );
        expect(ends).toBe(head);
      }),
    );
  });

  it('pushes of a branch that was not heard of before end with the head, in whatever order they arrive', () => {
    const pushes = [ab, bc, cd, move('d', 'e')];
    fc.assert(
      fc.property(fc.shuffledSubarray(pushes, { minLength: pushes.length }), (arrivals) => {
        expect(deployed(arrivals, [], 'e')).toBe('e');
      }),
    );
  });
});
