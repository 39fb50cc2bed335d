import Type from 'typebox';
import { describe, expect, it } from 'vitest';
import { defineJob, queuedId } from './define-job.ts';
import * as jobs from './jobs.ts';

describe('defineJob', () => {
  it('takes a payload of its schema and nothing else', () => {
    const payload = { buildId: 'b1', version: 3 };
    expect(jobs.advanceBuild.parse(payload)).toEqual(payload);
    expect(() => jobs.advanceBuild.parse({ buildId: 'b1' })).toThrow(/payload of advanceBuild is not valid/);
    expect(() => jobs.advanceBuild.parse({ ...payload, secret: 'x' })).toThrow(/not valid/);
    expect(() => jobs.flushOutbox.parse({ installationId: 1, upTo: 'x' })).toThrow(/not valid/);
  });
});

describe('queuedId', () => {
  it('P09: names a later version as new work', () => {
    const [first, second] = [4, 5].map((version) => queuedId(jobs.advanceRollout, { rolloutId: 'r', version }, null));
    expect(first).toBe('advanceRollout.r.4');
    expect(second).not.toBe(first);
  });

  it('P09: keeps a delayed job apart from one that is due now', () => {
    const dueAt = new Date('2030-01-01T00:00:00.400Z');
    const delayed = queuedId(jobs.sweep, {}, dueAt);
    expect(delayed).not.toBe(queuedId(jobs.sweep, {}, null));
    expect(queuedId(jobs.sweep, {}, new Date('2030-01-01T00:00:00.600Z'))).toBe(delayed);
  });

  it('refuses what the queue could not keep apart', () => {
    const job = defineJob({ name: 'j', queue: 'github', payload: Type.Object({}), jobId: () => 'a:b' });
    expect(() => queuedId(job, {}, null)).toThrow(/colon/);
  });

  it('gives every job a name of its own', () => {
    const names = Object.values(jobs).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
