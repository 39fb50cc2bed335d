import { describe, expect, it } from 'vitest';
import { classify } from './classify.ts';
import { IgnoredError, InputError, StalledError, WaitingError } from './errors.ts';

describe('classify', () => {
  it('keeps code, sentence and hint of what needs a person', () => {
    const error = new StalledError('registry_refused', 'The registry refused the password.', { hint: 'Change it.' });
    expect(classify(error)).toEqual({
      policy: 'stalled',
      code: 'registry_refused',
      message: 'The registry refused the password.',
      hint: 'Change it.',
    });
  });

  it('never retries wrong input', () => {
    expect(classify(new InputError('invalid', 'No such field.', { path: '/a' })).policy).toBe('stalled');
  });

  it('keeps the time until which to wait', () => {
    const until = new Date('2030-01-01T00:00:00Z');
    expect(classify(new WaitingError('rate_limited', 'GitHub asks to wait.', { until }))).toEqual({
      policy: 'waiting',
      code: 'rate_limited',
      message: 'GitHub asks to wait.',
      until,
    });
  });

  it('keeps why something was left alone', () => {
    const error = new IgnoredError('subject_gone', 'The build was deleted.');
    expect(error.why).toBe('The build was deleted.');
    expect(classify(error)).toEqual({ policy: 'ignored', code: 'subject_gone', message: 'The build was deleted.' });
  });

  it('retries everything else, by its own code where it has one', () => {
    const refused = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' });
    expect(classify(refused)).toEqual({ policy: 'retry', code: 'ECONNREFUSED', message: 'connect refused' });
    expect(classify(new TypeError('x is undefined'))).toMatchObject({ policy: 'retry', code: 'unexpected' });
    expect(classify('thrown text')).toEqual({ policy: 'retry', code: 'unexpected', message: 'thrown text' });
  });

  it('says what happened when every address of a host failed', () => {
    const both = new AggregateError([new Error('::1 refused'), new Error('127.0.0.1 refused')], '');
    expect(classify(both).message).toBe('::1 refused; 127.0.0.1 refused');
  });

  it('keeps the cause', () => {
    const cause = new Error('disk');
    expect(new StalledError('disk_full', 'No space.', { cause }).cause).toBe(cause);
  });
});
