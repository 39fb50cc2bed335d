import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { withDeadline } from './deadline.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('cancelled'))));

it('P03: cancels a call at its deadline, put off as often as it was', async () => {
  let settled = false;
  const call = withDeadline({ what: 'It', milliseconds: 1_000 }, (signal, extend) => {
    extend(2_000);
    setTimeout(() => extend(500), 2_500);
    return untilAborted(signal);
  });
  const failed = expect(call).rejects.toThrow('It took longer than 3500 ms and was cancelled.');
  void call.catch(() => (settled = true));
  await vi.advanceTimersByTimeAsync(3_499);
  expect(settled).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await failed;
});

it('leaves no timer behind when the call ends in time', async () => {
  await withDeadline({ what: 'It', milliseconds: 1_000 }, (_signal, extend) => {
    extend(1_000);
    return Promise.resolve();
  });
  expect(vi.getTimerCount()).toBe(0);
});
