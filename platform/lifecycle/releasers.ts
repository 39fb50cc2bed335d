/** What was started, ended in reverse order: every releaser runs, each within a deadline, whatever the others do. */
import { messageOf } from '../errors/classify.ts';

export interface ReleaseFailure {
  name: string;
  reason: string;
}

interface Releaser {
  name: string;
  release: () => Promise<void> | void;
}

const defaultDeadlineMs = 10_000;

async function within(deadlineMs: number, { release }: Releaser): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not end within ${deadlineMs / 1000} s`)), deadlineMs);
  });
  try {
    await Promise.race([Promise.resolve(release()), late]);
  } finally {
    clearTimeout(timer);
  }
}

export class Releasers {
  readonly #stack: Releaser[] = [];
  readonly #deadlineMs: number;

  /** @param deadlineMs For each releaser, in milliseconds. */
  constructor(deadlineMs: number = defaultDeadlineMs) {
    this.#deadlineMs = deadlineMs;
  }

  /** What is deferred last is released first. */
  defer(name: string, release: () => Promise<void> | void): void {
    this.#stack.push({ name, release });
  }

  /** Gives those that failed. A second call finds nothing left to do. */
  async releaseAll(): Promise<ReleaseFailure[]> {
    const failures: ReleaseFailure[] = [];
    for (let next = this.#stack.pop(); next !== undefined; next = this.#stack.pop()) {
      try {
        await within(this.#deadlineMs, next);
      } catch (error) {
        failures.push({ name: next.name, reason: messageOf(error) });
      }
    }
    return failures;
  }
}
