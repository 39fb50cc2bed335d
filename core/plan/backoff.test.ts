import { describe, expect, it } from 'vitest';
import { afterExit, afterFailure } from './backoff.ts';
import type { Backoff, RestartRecord } from './observed.ts';

const now = new Date('2030-01-01T00:00:00Z');
const minutes = (count: number) => new Date(now.getTime() - count * 60_000);

describe('afterFailure', () => {
  it('doubles from a second to a minute', () => {
    const delays: number[] = [];
    let backoff: Backoff | null = null;
    for (let count = 0; count < 9; count++) {
      backoff = afterFailure(backoff, 'start:a', now);
      delays.push((backoff.retryAt.getTime() - now.getTime()) / 1_000);
    }
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(backoff).toMatchObject({ key: 'start:a', failures: 9 });
  });

  it('stays within a minute after any number of failures', () => {
    const backoff = afterFailure({ key: 'k', failures: 1e6, retryAt: now }, 'k', now);
    expect(backoff.retryAt.getTime() - now.getTime()).toBe(60_000);
  });
});

describe('afterExit', () => {
  const exit = (previous: RestartRecord | null, startedAt: Date | null) =>
    afterExit(previous, { allocationId: 'a', startedAt, exitedAt: now });

  it('restarts at once at first, then later and later', () => {
    const first = exit(null, now);
    const third = exit(exit(first, now), now);
    expect([first.restarts, first.retryAt.getTime() - now.getTime()]).toEqual([1, 0]);
    expect([third.restarts, third.retryAt.getTime() - now.getTime()]).toEqual([3, 1_000]);
  });

  it('counts anew after ten minutes of running', () => {
    const worn = { allocationId: 'a', restarts: 9, retryAt: now };
    expect(exit(worn, minutes(9)).restarts).toBe(10);
    expect(exit(worn, minutes(10)).restarts).toBe(1);
    expect(exit(worn, null).restarts).toBe(10);
  });
});
