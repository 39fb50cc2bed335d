/** Adds jobs to the queues and runs their handlers. The queue carries wake-ups: the rows of PostgreSQL are the truth. */
import { DelayedError, UnrecoverableError, type Job } from 'bullmq';
import type { Static, TSchema } from 'typebox';
import { openBackend, type OpenQueue, type OpenWorker, type QueueBackend } from './backend.ts';
import { queuedId, type JobDefinition, type QueueName } from './define-job.ts';
import { maxAttempts, outcomeOf, retryDelayMs, type JobOutcome } from './outcome.ts';

/** What this module says of its own accord; a pino logger fits. */
export interface QueueLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface QueuesOptions {
  log?: QueueLog;
  /** Connections to PostgreSQL at most; 12 by default. */
  poolSize?: number;
}

export interface EnqueueOptions {
  /** Milliseconds until it may run. */
  delayMs?: number;
}

export interface JobContext {
  /** Of this job, from 1. */
  attempt: number;
}

/** A job and what is done for it. */
export interface JobHandler {
  job: JobDefinition;
  run(payload: unknown, context: JobContext): Promise<void>;
}

export interface Queues {
  /** Adds a job, unless one of the same id is queued or running. @throws InputError for a payload that is not the job's. */
  enqueue<Schema extends TSchema>(
    job: JobDefinition<Schema>,
    payload: Static<Schema>,
    options?: EnqueueOptions,
  ): Promise<void>;
  /** Runs the jobs of a queue in this process. */
  work(queue: QueueName, handlers: readonly JobHandler[], options: { concurrency: number }): void;
  /** Adds the job now and every so many milliseconds, as long as this process lives. */
  every<Schema extends TSchema>(job: JobDefinition<Schema>, payload: Static<Schema>, intervalMs: number): void;
  /** Rejects when the queue cannot be reached. */
  ping(): Promise<void>;
  /** Stops adding and taking jobs, and waits for those that run. */
  close(): Promise<void>;
}

/** Pairs a job with its handler, typed by the job's payload. */
export function handle<Schema extends TSchema>(
  job: JobDefinition<Schema>,
  run: (payload: Static<Schema>, context: JobContext) => Promise<void> | void,
): JobHandler {
  return { job, run: async (payload, context) => run(job.parse(payload), context) };
}

const silent: QueueLog = { debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore(): void {}

/** A process that dies in the middle of a job is noticed after this, and the job runs elsewhere. */
const lockMs = 15_000;

/** @param url `postgres://…` or `redis://…`. */
export async function openQueues(url: string, options: QueuesOptions = {}): Promise<Queues> {
  const log = options.log ?? silent;
  const onError = (error: Error): void => log.warn({ err: error }, 'the queue lost a connection or a job');
  const backend = await openBackend(url, { onError, poolSize: options.poolSize ?? 12 });
  return createQueues(backend, log);
}

function createQueues(backend: QueueBackend, log: QueueLog): Queues {
  const queues = new Map<QueueName, OpenQueue>();
  const workers: OpenWorker[] = [];
  const timers: NodeJS.Timeout[] = [];

  function queueOf(name: QueueName): OpenQueue {
    const existing = queues.get(name);
    if (existing) return existing;
    const queue = backend.openQueue(name);
    queues.set(name, queue);
    return queue;
  }

  const opened: Queues = {
    async enqueue(job, payload, { delayMs = 0 } = {}) {
      const dueAt = delayMs > 0 ? new Date(Date.now() + delayMs) : null;
      await queueOf(job.queue).add(job.name, job.parse(payload), {
        jobId: queuedId(job, payload, dueAt),
        delay: delayMs,
        attempts: maxAttempts,
        backoff: { type: 'custom' },
        // Their ids are free again at once: what is still to be done is in the rows.
        removeOnComplete: true,
        removeOnFail: true,
      });
    },
    work(name, handlers, { concurrency }) {
      const worker = backend.openWorker(name, (job, token) => process(handlers, { job, token, log }), {
        concurrency,
        lockDuration: lockMs,
        stalledInterval: lockMs / 2,
        maxStalledCount: 3,
        settings: { backoffStrategy: retryDelayMs },
      });
      workers.push(worker);
    },
    every(job, payload, intervalMs) {
      const add = (): void => {
        opened.enqueue(job, payload).catch((error: unknown) => log.warn({ err: error }, `${job.name} was not added`));
      };
      add();
      timers.push(setInterval(add, intervalMs).unref());
    },
    ping: () => backend.ping(),
    async close() {
      timers.splice(0).forEach((timer) => clearInterval(timer));
      await Promise.all(workers.splice(0).map((worker) => worker.close()));
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      await backend.close();
    },
  };
  return opened;
}

interface Taken {
  job: Job;
  /** Proof that this worker holds the job. */
  token: string | undefined;
  log: QueueLog;
}

async function process(handlers: readonly JobHandler[], { job, token, log }: Taken): Promise<unknown> {
  const handler = handlers.find((candidate) => candidate.job.name === job.name);
  // Of a release that had it: nobody here knows what to do.
  if (handler === undefined) throw new UnrecoverableError(`No handler for the job ${job.name}.`);
  const attempt = job.attemptsMade + 1;
  try {
    await handler.run(job.data, { attempt });
    return null;
  } catch (error) {
    const outcome = outcomeOf(error, attempt);
    report(log, { job, outcome, error });
    return await settle(outcome, { job, token, error });
  }
}

async function settle(
  outcome: JobOutcome,
  { job, token, error }: Omit<Taken, 'log'> & { error: unknown },
): Promise<unknown> {
  switch (outcome.kind) {
    case 'complete':
      return { code: outcome.code, message: outcome.message };
    case 'postpone':
      await job.moveToDelayed(outcome.until.getTime(), token);
      throw new DelayedError();
    case 'fail':
      throw new UnrecoverableError(outcome.message);
    case 'retry':
      throw error;
  }
}

function report(log: QueueLog, { job, outcome, error }: { job: Job; outcome: JobOutcome; error: unknown }): void {
  const fields = { job: job.name, jobId: job.id, payload: job.data as object, code: outcome.code };
  switch (outcome.kind) {
    case 'complete':
      log.debug(fields, outcome.message);
      return;
    case 'postpone':
      log.info({ ...fields, until: outcome.until }, outcome.message);
      return;
    case 'fail':
      log.error({ ...fields, hint: outcome.hint }, outcome.message);
      return;
    case 'retry':
      log.warn({ ...fields, err: error, retryInMs: outcome.delayMs }, outcome.message);
  }
}
