import { expect, it } from 'vitest';
import { heldQueues } from '../../test/fakes/queues.ts';
import { sweep } from './jobs.ts';
import { handle } from './queues.ts';
import { sweepSoon } from './sweep-soon.ts';

function at(ms: number): Date {
  return new Date(1_000_000_000 + ms);
}

it('is one sweep for all who ask at about the same time, after the last of them', async () => {
  for (let ms = 0; ms < 1_000; ms += 50) {
    const queues = heldQueues(() => at(ms));
    await sweepSoon(queues, at(ms));
    const [job] = queues.jobs;
    const wait = job!.dueAt.getTime() - at(ms).getTime();
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(1_000);
    expect(job!.dueAt.getTime() % 1_000).toBe(500);
  }
  const clock = { ms: 600 };
  const queues = heldQueues(() => at(clock.ms));
  for (clock.ms = 600; clock.ms < 1_500; clock.ms += 100) await sweepSoon(queues, at(clock.ms));
  expect(queues.jobs).toHaveLength(1);
});

it('is not lost while a sweep runs: the queue drops a second job only of the same id', async () => {
  const clock = { ms: 1_600 };
  const queues = heldQueues(() => at(clock.ms));
  const ids: string[] = [];
  await sweepSoon(queues, at(clock.ms));
  const [running] = queues.jobs;
  clock.ms = 2_700;
  // It is running since its mark; whoever asks now is given a job of another id.
  await sweepSoon(queues, at(clock.ms));
  ids.push(...queues.jobs.map(({ id }) => id));
  expect(new Set(ids).size).toBe(2);
  expect(running!.dueAt.getTime()).toBe(at(2_500).getTime());
  let swept = 0;
  queues.work(
    'maintenance',
    [
      handle(sweep, () => {
        swept++;
      }),
    ],
    { concurrency: 1 },
  );
  clock.ms = 4_000;
  await queues.drain();
  expect(swept).toBe(2);
});
