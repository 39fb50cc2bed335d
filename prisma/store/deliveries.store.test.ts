import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/store/database.ts';
import {
  deleteOldDeliveries,
  findDelivery,
  insertDeliveries,
  openStartsOf,
  postponeDelivery,
  settleDelivery,
  startDelivery,
  unknownGuids,
  unprocessedDeliveries,
  type NewDelivery,
} from './deliveries.ts';

const database = useDatabase();
const now = new Date('2030-01-01T00:00:00.123Z');

function delivery(changes: Partial<NewDelivery> = {}): NewDelivery {
  return {
    guid: randomUUID(),
    event: 'push',
    action: null,
    installationId: 5,
    repositoryId: 9_007_199_254_740_991,
    payload: Buffer.from('{"zen":"ü"}'),
    receivedAt: now,
    storedAt: now,
    ignored: null,
    ...changes,
  };
}

describe('insertDeliveries', () => {
  it('keeps the bytes of each, whatever they are and however many', async () => {
    const group = [
      delivery({ payload: Buffer.from([0, 1, 2, 255, 92, 39]) }),
      delivery({ payload: Buffer.alloc(0), installationId: null, repositoryId: null, action: 'created' }),
      delivery({ payload: Buffer.alloc(300_000, 'ü') }),
    ];
    expect(await insertDeliveries(database.pool, group)).toEqual(new Set(group.map(({ guid }) => guid)));
    for (const { guid, payload } of group) {
      expect((await findDelivery(database.db, guid))?.payload.equals(payload)).toBe(true);
    }
    expect(await database.db.delivery.findUnique({ where: { guid: group[0]!.guid } })).toMatchObject({
      event: 'push',
      installationId: 5n,
      repositoryId: 9_007_199_254_740_991n,
      status: 'received',
      receivedAt: now,
      processedAt: null,
    });
    expect(await database.db.delivery.findUnique({ where: { guid: group[1]!.guid } })).toMatchObject({
      action: 'created',
      installationId: null,
      repositoryId: null,
    });
  });

  it('P40: says which were new, also when one is twice in a group', async () => {
    const known = delivery();
    await insertDeliveries(database.pool, [known]);
    const twice = delivery();
    const fresh = await insertDeliveries(database.pool, [{ ...known, payload: Buffer.from('{}') }, twice, twice]);
    expect(fresh).toEqual(new Set([twice.guid]));
    expect((await findDelivery(database.db, known.guid))?.payload).toEqual(known.payload);
  });

  it('keeps when it was sent apart from when it came', async () => {
    const missed = delivery({ receivedAt: new Date('2029-12-30T00:00:00Z') });
    await insertDeliveries(database.pool, [missed]);
    expect(await findDelivery(database.db, missed.guid)).toMatchObject({
      receivedAt: missed.receivedAt,
      storedAt: now,
    });
  });

  it('keeps what nothing handles, settled', async () => {
    const ignored = delivery({ event: 'star', ignored: { code: 'event_unhandled', reason: 'Nothing.' } });
    await insertDeliveries(database.pool, [ignored]);
    expect(await database.db.delivery.findUnique({ where: { guid: ignored.guid } })).toMatchObject({
      status: 'ignored',
      reasonCode: 'event_unhandled',
      processedAt: now,
    });
  });
});

describe('settling', () => {
  it('happens once', async () => {
    const { guid } = delivery();
    await insertDeliveries(database.pool, [delivery({ guid })]);
    const ignored = { status: 'ignored', code: 'tag_push', reason: 'A tag.' } as const;
    expect(await settleDelivery(database.db, guid, ignored, now)).toBe(true);
    expect(await settleDelivery(database.db, guid, { status: 'processed' }, now)).toBe(false);
    expect(await findDelivery(database.db, guid)).toMatchObject({ status: 'ignored' });
  });

  it('counts attempts when they start, and those that nothing came back from', async () => {
    const { guid } = delivery();
    await insertDeliveries(database.pool, [delivery({ guid })]);
    for (const openStarts of [1, 2]) {
      await startDelivery(database.db, guid);
      expect(await openStartsOf(database.db, guid)).toBe(openStarts);
    }
    await postponeDelivery(database.db, guid, { code: 'github_unavailable', reason: 'GitHub is away.' });
    expect(await findDelivery(database.db, guid)).toMatchObject({ status: 'received', attempts: 2, openStarts: 0 });
  });
});

it('finds what nobody has worked on, oldest first, and what was never received', async () => {
  const older = delivery({ receivedAt: new Date('2020-01-01T00:00:00Z') });
  const old = delivery({ receivedAt: new Date('2020-01-02T00:00:00Z') });
  await insertDeliveries(database.pool, [old, older]);
  expect(await unprocessedDeliveries(database.db, new Date('2021-01-01'), 10)).toEqual([older.guid, old.guid]);
  expect(await unknownGuids(database.db, [old.guid, 'g1', 'g1'])).toEqual(['g1']);
});

it('forgets what is old and settled, never what is still to be done', async () => {
  const old = new Date('2019-01-01T00:00:00Z');
  const [settled, waiting] = [delivery({ receivedAt: old }), delivery({ receivedAt: old })];
  await insertDeliveries(database.pool, [settled, waiting]);
  await settleDelivery(database.db, settled.guid, { status: 'processed' }, now);
  expect(await deleteOldDeliveries(database.db, new Date('2019-06-01'), 10)).toBe(1);
  expect(await findDelivery(database.db, settled.guid)).toBeNull();
  expect(await findDelivery(database.db, waiting.guid)).not.toBeNull();
});
