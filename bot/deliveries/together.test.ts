import { describe, expect, it } from 'vitest';
import { IgnoredError } from '../../platform/errors/errors.ts';
import { processTogether, wakeDeliveries } from './together.ts';

function recording() {
  const enqueued: { job: string; payload: unknown }[] = [];
  const enqueue = (job: { name: string }, payload: unknown): Promise<void> => {
    enqueued.push({ job: job.name, payload });
    return Promise.resolve();
  };
  return { enqueued, queues: { enqueue } };
}

describe('wakeDeliveries', () => {
  it.each([
    [[], []],
    [['a'], [{ job: 'processDelivery', payload: { guid: 'a' } }]],
    [['a', 'b'], [{ job: 'processDeliveries', payload: { guids: ['a', 'b'] } }]],
  ])('%j is one job at most', async (guids, jobs) => {
    const { enqueued, queues } = recording();
    await wakeDeliveries(queues, guids);
    expect(enqueued).toEqual(jobs);
  });
});

describe('processTogether', () => {
  it('works on all, in order, and hands those that failed back one by one', async () => {
    const { enqueued, queues } = recording();
    const worked: string[] = [];
    const guids = Array.from({ length: 30 }, (_, index) => `g${index}`);
    await processTogether(guids, {
      queues,
      work: (guid) => {
        worked.push(guid);
        if (guid === 'g3') return Promise.reject(new Error('GitHub is away'));
        if (guid === 'g4') return Promise.reject(new IgnoredError('settled', 'Done already.'));
        return Promise.resolve();
      },
    });
    expect(worked).toEqual(guids);
    expect(enqueued).toEqual([{ job: 'processDelivery', payload: { guid: 'g3' } }]);
  });
});
