import { expect, it } from 'vitest';
import { Releasers } from './releasers.ts';

it('releases in reverse order, all of them, and names those that failed', async () => {
  const order: string[] = [];
  const releasers = new Releasers();
  releasers.defer('database', () => void order.push('database'));
  releasers.defer('queue', () => Promise.reject(new Error('connection lost')));
  releasers.defer('server', async () => {
    await Promise.resolve();
    order.push('server');
  });
  expect(await releasers.releaseAll()).toEqual([{ name: 'queue', reason: 'connection lost' }]);
  expect(order).toEqual(['server', 'database']);
});

it('does not wait for one that never ends', async () => {
  const releasers = new Releasers(5);
  let ended = false;
  releasers.defer('first', () => void (ended = true));
  releasers.defer('stuck', () => new Promise<void>(() => undefined));
  expect(await releasers.releaseAll()).toEqual([{ name: 'stuck', reason: 'it did not end within 0.005 s' }]);
  expect(ended).toBe(true);
});

it('releases once', async () => {
  let count = 0;
  const releasers = new Releasers();
  releasers.defer('once', () => {
    count++;
  });
  await releasers.releaseAll();
  await releasers.releaseAll();
  expect(count).toBe(1);
});
