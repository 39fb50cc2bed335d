import { describe, expect, it } from 'vitest';
import { Subscriptions } from '../../platform/wake/subscriptions.ts';
import { watch } from './watch.ts';

const open = () => {
  const subscriptions = new Subscriptions();
  return {
    subscriptions,
    wake: { subscribe: (topic: string, listener: () => void) => subscriptions.add(topic, listener) },
  };
};
const never = new AbortController().signal;
const long = { timeoutMs: 60_000, signal: never };

describe('watch', () => {
  it('P09: hears what came after the subscription and before the wait, once', async () => {
    const { subscriptions, wake } = open();
    const watching = watch(wake, ['a', 'b']);
    subscriptions.wake('b');
    expect(await watching.next(long)).toEqual(new Set(['b']));
    const gone = new AbortController();
    let resolved = false;
    const next = watching.next({ ...long, signal: gone.signal }).then(() => (resolved = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(resolved).toBe(false);
    gone.abort();
    await next;
    watching.close();
    expect(subscriptions.size).toBe(0);
  });

  it('ends at the time-out, by its signal and by a wake-up', async () => {
    const { subscriptions, wake } = open();
    const watching = watch(wake, ['a']);
    await watching.next({ timeoutMs: 1, signal: never });
    await watching.next({ timeoutMs: 60_000, signal: AbortSignal.abort() });
    const next = watching.next(long);
    subscriptions.wake('a');
    await next;
  });
});
