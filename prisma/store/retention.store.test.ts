import { randomUUID } from 'node:crypto';
import { beforeEach, expect, it } from 'vitest';
import { keptMs } from '../../core/retention/policy.ts';
import { useDatabase } from '../../test/store/database.ts';
import { deleteOld } from './retention.ts';

const database = useDatabase();
const now = new Date('2030-01-01T00:00:00Z');
const ago = (ms: number): Date => new Date(now.getTime() - ms);
const perKind = 7;

beforeEach(async () => {
  const { db } = database;
  await db.nonce.deleteMany();
  await db.delivery.deleteMany();
  const nodeId = randomUUID();
  const numbers = Array.from({ length: perKind }, (_, index) => index);
  const nonce = (name: string, at: Date) => ({ nodeId, nonce: name, at });
  await db.nonce.createMany({ data: numbers.map((n) => nonce(`old-${n}`, ago(keptMs.nonces + 1))) });
  await db.nonce.create({ data: nonce('recent', ago(keptMs.nonces - 1)) });
  const delivery = (guid: string, receivedAt: Date, status: 'received' | 'processed') => ({
    ...{ guid, event: 'push', payload: new Uint8Array(), receivedAt, status },
  });
  const longAgo = ago(keptMs.deliveries + 1);
  await db.delivery.createMany({
    data: [
      ...numbers.map((n) => delivery(`old-${n}`, longAgo, 'processed')),
      delivery('recent', ago(keptMs.deliveries - 1), 'processed'),
      delivery('waiting', longAgo, 'received'),
    ],
  });
});

const counts = async (): Promise<number[]> => [await database.db.nonce.count(), await database.db.delivery.count()];

it('deletes all that is old, a batch after the other', async () => {
  await deleteOld(database.db, now, { rows: 2, rounds: 10 });
  expect(await counts()).toEqual([1, 2]);
});

it('deletes so much at once and no more, however much there is', async () => {
  await deleteOld(database.db, now, { rows: 2, rounds: 2 });
  expect(await counts()).toEqual([perKind + 1 - 4, perKind + 2 - 4]);
  await deleteOld(database.db, now, { rows: 2, rounds: 1 });
  expect(await counts()).toEqual([perKind + 1 - 6, perKind + 2 - 6]);
});
