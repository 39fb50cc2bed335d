import { expect, it } from 'vitest';
import { useDatabase } from '../../test/store/database.ts';
import { rememberedOnce } from './settings.ts';

const database = useDatabase();

it('gives everyone who asks at once the same value, and the first one ever after', async () => {
  const values = Array.from({ length: 8 }, (_, index) => new Uint8Array([index]));
  const got = await Promise.all(values.map((value) => rememberedOnce(database.db, 'key', value)));
  expect(new Set(got.map(String)).size).toBe(1);
  expect(await rememberedOnce(database.db, 'key', new Uint8Array([99]))).toEqual(got[0]);
});

it('keeps one key apart from another', async () => {
  await rememberedOnce(database.db, 'a', new Uint8Array([1]));
  expect(await rememberedOnce(database.db, 'b', new Uint8Array([2]))).toEqual(new Uint8Array([2]));
});
