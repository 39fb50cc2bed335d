import { describe, expect, it } from 'vitest';
import { IgnoredError, StalledError, WaitingError } from '../errors/errors.ts';
import { outcomeOf, retryDelayMs } from './outcome.ts';

describe('outcomeOf', () => {
  it('ends what needs a person, with the hint', () => {
    const error = new StalledError('key_refused', 'GitHub refuses the key.', { hint: 'Make a new one.' });
    expect(outcomeOf(error, 1)).toEqual({
      kind: 'fail',
      code: 'key_refused',
      message: 'GitHub refuses the key.',
      hint: 'Make a new one.',
    });
  });

  it('postpones what is waiting, to the time it named', () => {
    const until = new Date('2030-01-01T00:00:00Z');
    expect(outcomeOf(new WaitingError('limited', 'Later.', { until }), 3)).toMatchObject({ kind: 'postpone', until });
  });

  it('P20: completes a job whose subject is gone', () => {
    expect(outcomeOf(new IgnoredError('subject_gone', 'The build was deleted.'), 1)).toEqual({
      kind: 'complete',
      code: 'subject_gone',
      message: 'The build was deleted.',
    });
  });

  it('tries again what nobody planned for, later each time, never later than a minute', () => {
    expect(outcomeOf(new Error('connection reset'), 1)).toMatchObject({ kind: 'retry', delayMs: 100 });
    expect([1, 2, 3, 20].map(retryDelayMs)).toEqual([100, 200, 400, 60_000]);
  });
});
