/**
 * Asks for a sweep that begins after now. The timer's own job would not do: while one of them runs, another is not added, and the running
 * one may be past what has just been written.
 */
import { sweep } from './jobs.ts';
import type { Queues } from './queues.ts';

/** All who ask before the same mark ask for the same job; it is due at the mark, so none of them comes while it runs. */
const everyMs = 1_000;
/** Apart from the full seconds by which the queue tells delayed jobs apart. */
const offMs = 500;

export async function sweepSoon(queues: Pick<Queues, 'enqueue'>, now: Date): Promise<void> {
  await queues.enqueue(sweep, {}, { delayMs: nextMark(now.getTime()) - now.getTime() });
}

/** Always later than `now`. */
function nextMark(now: number): number {
  return Math.floor((now + offMs) / everyMs) * everyMs + everyMs - offMs;
}
