import { expect, it } from 'vitest';
import { intentUrl, opensIntent } from './intent-link.ts';

const now = new Uint8Array(32).fill(1);
const before = new Uint8Array(32).fill(2);

it('opens its own intent, under this master key or one of before, and no other', () => {
  const url = new URL(intentUrl('https://deploy.example.com', { keys: [before] }, 'i1'));
  const key = url.searchParams.get('key') ?? '';
  expect(url.pathname).toBe('/intents/i1');
  expect(key).toHaveLength(32);
  expect(opensIntent({ keys: [now, before] }, 'i1', key)).toBe(true);
  expect(opensIntent({ keys: [now, before] }, 'i2', key)).toBe(false);
  expect(opensIntent({ keys: [now] }, 'i1', key)).toBe(false);
  expect(opensIntent({ keys: [now] }, 'i1', '')).toBe(false);
});
