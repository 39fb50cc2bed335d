import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import Value from 'typebox/value';
import type { ActionResult } from '../contract/status.ts';
import { describeFailure, failureNews, failuresAfter, isCurrent, NodeFailure } from './failures.ts';

const start = new Date('2030-01-01T00:00:00.000Z');
const at = (ms: number) => new Date(start.getTime() + ms);
const result = (changed: Partial<ActionResult> = {}): ActionResult => ({
  ...{ kind: 'stop_orphan', subject: 'a1', ok: false, message: 'It does not stop.', durationMs: 5 },
  ...{ at: start.toISOString(), retryAt: at(1_000).toISOString() },
  ...changed,
});
const after = (before: readonly NodeFailure[], actions: ActionResult[], now = start) =>
  failuresAfter(before, { actions, converged: false }, now);

describe('failuresAfter', () => {
  it('keeps the newest failure of each action, newest first', () => {
    const first = after([], [result(), result({ kind: 'update_peers', subject: 'peers', message: 'no device' })]);
    const again = result({ at: at(9_000).toISOString(), retryAt: at(11_000).toISOString(), message: 'Still not.' });
    const next = after(first, [again], at(9_000));
    expect(next).toEqual([
      {
        ...{ kind: 'stop_orphan', subject: 'a1', message: 'Still not.' },
        ...{ at: at(9_000).toISOString(), retryAt: at(11_000).toISOString() },
      },
      expect.objectContaining({ kind: 'update_peers', subject: 'peers' }),
    ]);
  });

  it('says the same when the report says nothing new, so that nothing is written', () => {
    const first = after([], [result()]);
    expect(after(first, [], at(5_000))).toEqual(first);
    expect(after(first, [result()], at(5_000))).toEqual(first);
  });

  it('forgets what has been done since, and all of it when nothing is left to do', () => {
    const other = result({ subject: 'a2' });
    const first = after([], [result(), other]);
    expect(after(first, [result({ ok: true })]).map(({ subject }) => subject)).toEqual(['a2']);
    expect(after(first, [result({ ok: true }), result()])).toHaveLength(2);
    expect(failuresAfter(first, { actions: [], converged: true }, start)).toEqual([]);
  });

  it('forgets what is not tried any more, though nothing was said of it', () => {
    const first = after([], [result()]);
    expect(isCurrent(first[0]!, at(15 * 60_000))).toBe(true);
    expect(isCurrent(first[0]!, at(16 * 60_000))).toBe(false);
    expect(after(first, [], at(16 * 60_000))).toEqual([]);
  });

  it('is bounded, whatever an agent reports, and a clock that is years ahead does not make it last', () => {
    const anyResult = fc.record({
      ...{ kind: fc.string({ maxLength: 300 }), subject: fc.string({ maxLength: 300 }), ok: fc.boolean() },
      ...{ message: fc.option(fc.string({ maxLength: 2_000 })), durationMs: fc.nat() },
      at: fc.constantFrom(
        start.toISOString(),
        '9999-01-01T00:00:00Z',
        '1970-01-01T00:00:00+01:00',
        '2016-12-31T23:59:60Z',
      ),
      retryAt: fc.constantFrom(null, start.toISOString(), '9999-12-31T23:59:59Z'),
    });
    fc.assert(
      fc.property(fc.array(fc.array(anyResult, { maxLength: 60 }), { maxLength: 4 }), (reports) => {
        let failures: NodeFailure[] = [];
        for (const actions of reports) failures = after(failures, actions);
        expect(failures.length).toBeLessThanOrEqual(20);
        expect(JSON.stringify(failures).length).toBeLessThan(100_000);
        expect(failures.every((one) => Value.Check(NodeFailure, one))).toBe(true);
        expect(after(failures, [], at(31 * 60_000))).toEqual([]);
      }),
    );
  });
});

it('failureNews tells what has begun or changed, and what has ended', () => {
  const [one] = after([], [result()]);
  const [other] = after([], [result({ subject: 'a2' })]);
  expect(failureNews([], [one!])).toEqual({ begun: [one], ended: [] });
  const retried = { ...one!, at: at(9_000).toISOString() };
  expect(failureNews([one!], [retried])).toEqual({ begun: [], ended: [] });
  const changed = { ...one!, message: 'Another reason.' };
  expect(failureNews([one!, other!], [changed])).toEqual({ begun: [changed], ended: [other] });
});

it.each([
  [{ kind: 'stop_orphan', subject: 'a1' }, 'stop a container that nothing expects (allocation a1)'],
  [{ kind: 'update_routes', subject: 'routes' }, 'update the routes'],
  [{ kind: 'constructor', subject: 'a1' }, 'constructor (allocation a1)'],
])('describeFailure says %j as a person would', (failure, sentence) => {
  expect(describeFailure(failure)).toBe(sentence);
});
