import { describe, expect, it } from 'vitest';
import { Subscriptions } from './subscriptions.ts';

describe('Subscriptions', () => {
  it('calls the listeners of a topic and no others', () => {
    const subscriptions = new Subscriptions();
    const heard: string[] = [];
    subscriptions.add('node:1', () => heard.push('1'));
    subscriptions.add('node:1', () => heard.push('1 too'));
    subscriptions.add('node:12', () => heard.push('12'));
    subscriptions.wake('node:1');
    expect(heard).toEqual(['1', '1 too']);
  });

  it('keeps nothing of a subscription that ended', () => {
    const subscriptions = new Subscriptions();
    let calls = 0;
    const listener = (): void => void (calls += 1);
    const end = subscriptions.add('a', listener);
    const endOther = subscriptions.add('a', listener);
    end();
    end();
    subscriptions.wake('a');
    expect(calls).toBe(1);
    endOther();
    expect(subscriptions.size).toBe(0);
  });

  it('lets a listener subscribe and leave while it is called', () => {
    const subscriptions = new Subscriptions();
    let calls = 0;
    const end = subscriptions.add('a', () => {
      calls++;
      end();
      subscriptions.add('a', () => calls++);
    });
    subscriptions.wake('a');
    expect(calls).toBe(1);
    subscriptions.wake('a');
    expect(calls).toBe(2);
  });

  it('P09: hears what happens between the call and the await', async () => {
    const subscriptions = new Subscriptions();
    const change = subscriptions.waitFor('a', { timeoutMs: 60_000 });
    subscriptions.wake('a');
    await expect(change).resolves.toBe('woken');
    expect(subscriptions.size).toBe(0);
  });

  it('ends at its time, and with its signal', async () => {
    const subscriptions = new Subscriptions();
    await expect(subscriptions.waitFor('a', { timeoutMs: 1 })).resolves.toBe('timeout');
    const gone = new AbortController();
    const wait = subscriptions.waitFor('a', { timeoutMs: 60_000, signal: gone.signal });
    gone.abort();
    await expect(wait).resolves.toBe('aborted');
    await expect(subscriptions.waitFor('a', { timeoutMs: 60_000, signal: gone.signal })).resolves.toBe('aborted');
    expect(subscriptions.size).toBe(0);
  });
});
