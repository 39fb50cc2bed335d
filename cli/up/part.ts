/** One part of the line, kept running: its process is started again when it ends by itself, unless that happens too often. */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../platform/errors/classify.ts';
import { startChild, type Child, type ChildSpec } from './child.ts';

export interface PartSpec extends Omit<ChildSpec, 'log'> {
  report: (line: string) => void;
}

export interface Part {
  /** Settles when the part has been given up, with a sentence that says why. */
  broken: Promise<string>;
  stop(): Promise<void>;
}

/** As many ends within this time are a fault that starting again does not mend. */
const givenUp = { ends: 4, withinMs: 60_000 };
const pauseMs = 500;

/** Whether one more end is one too many. `ends` are the moments of those so far, in milliseconds, this one included. */
export function isGivenUp(ends: readonly number[], now: number): boolean {
  return ends.filter((at) => now - at < givenUp.withinMs).length >= givenUp.ends;
}

/** Rejects when the first start fails. */
export async function startPart(spec: PartSpec, signal: AbortSignal): Promise<Part> {
  const stopping = new AbortController();
  const until = AbortSignal.any([signal, stopping.signal]);
  let current: Child | null = await startOnce(spec, 'new', until);
  const keeping = keep(current);
  return {
    broken: keeping.then((sentence) => sentence ?? new Promise<never>(() => undefined)),
    async stop() {
      stopping.abort();
      await current?.stop();
      await keeping;
    },
  };

  /** Answers why the part was given up; null when it was stopped. */
  async function keep(first: Child): Promise<string | null> {
    const ends: number[] = [];
    let sentence = await first.ended;
    while (!stopping.signal.aborted) {
      current = null;
      ends.push(Date.now());
      if (isGivenUp(ends, Date.now())) return `${sentence}, and did so ${givenUp.ends} times within a minute.`;
      spec.report(`${sentence}; it is started again`);
      sentence = await again();
    }
    return null;
  }

  /** Answers how the next process ended, or why it never got ready. */
  async function again(): Promise<string> {
    try {
      await delay(pauseMs, undefined, { signal: stopping.signal });
      current = await startOnce(spec, 'continued', stopping.signal);
    } catch (error) {
      return messageOf(error);
    }
    return current.ended;
  }
}

async function startOnce(spec: PartSpec, log: ChildSpec['log'], signal: AbortSignal): Promise<Child> {
  const child = await startChild({ ...spec, log }, signal);
  spec.report(`${child.name} is ready`);
  return child;
}
