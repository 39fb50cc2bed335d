/** For tests: a queue in memory whose jobs run when the test says so. Ids, delays and what errors mean are those of the real one. */
import { IgnoredError } from '../../platform/errors/errors.ts';
import { queuedId, type JobDefinition } from '../../platform/queue/define-job.ts';
import { outcomeOf } from '../../platform/queue/outcome.ts';
import type { JobHandler, Queues } from '../../platform/queue/queues.ts';

export interface HeldJob {
  id: string;
  job: JobDefinition;
  payload: unknown;
  dueAt: Date;
  attempt: number;
}

export interface HeldQueues extends Queues {
  /** Those that wait, oldest first. */
  jobs: HeldJob[];
  /** What became of jobs that did not just end well, as `code: message`. */
  outcomes: string[];
  /** Takes out the first that is due, and of this name when one is given; undefined when there is none. */
  take(name?: string): HeldJob | undefined;
  run(job: HeldJob): Promise<void>;
  /** Runs what is due until nothing is. */
  drain(): Promise<void>;
  /** Forgets everything, as an emptied Redis does. */
  obliterate(): void;
}

/** @param now Tells what is due. */
export function heldQueues(now: () => Date): HeldQueues {
  const handlers = new Map<string, JobHandler>();
  const held: HeldQueues = {
    jobs: [],
    outcomes: [],
    enqueue(job, payload, { delayMs = 0 } = {}) {
      const dueAt = new Date(now().getTime() + delayMs);
      const id = queuedId(job, payload, delayMs > 0 ? dueAt : null);
      if (!held.jobs.some((waiting) => waiting.id === id))
        held.jobs.push({ id, job: job, payload: job.parse(payload), dueAt, attempt: 1 });
      return Promise.resolve();
    },
    work: (_queue, added) => added.forEach((handler) => handlers.set(handler.job.name, handler)),
    every: () => undefined,
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
    take(name) {
      const index = held.jobs.findIndex(({ job, dueAt }) => dueAt <= now() && (name ?? job.name) === job.name);
      return index === -1 ? undefined : held.jobs.splice(index, 1)[0];
    },
    async run(taken) {
      const handler = handlers.get(taken.job.name);
      // The bot's: not of this process.
      if (handler === undefined) return;
      try {
        await handler.run(taken.payload, { attempt: taken.attempt });
      } catch (error) {
        const outcome = outcomeOf(error, taken.attempt);
        held.outcomes.push(`${outcome.code}: ${outcome.message}`);
        if (outcome.kind === 'postpone') held.jobs.push({ ...taken, dueAt: outcome.until });
        if (outcome.kind === 'retry') {
          const dueAt = new Date(now().getTime() + outcome.delayMs);
          held.jobs.push({ ...taken, dueAt, attempt: taken.attempt + 1 });
        }
      }
    },
    async drain() {
      for (let count = 0; count < 500; count++) {
        const job = held.take();
        if (job === undefined) return;
        await held.run(job);
      }
      throw new IgnoredError('restless', 'The jobs of the queue do not come to an end.');
    },
    obliterate() {
      held.jobs.length = 0;
    },
  };
  return held;
}
