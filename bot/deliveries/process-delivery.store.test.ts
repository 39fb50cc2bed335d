import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { IgnoredError, InputError, StalledError, WaitingError } from '../../platform/errors/errors.ts';
import { findDelivery, insertDeliveries } from '../../prisma/store/deliveries.ts';
import { useDatabase } from '../../test/store/database.ts';
import { processDelivery } from './process-delivery.ts';

const database = useDatabase();
const now = new Date('2030-01-01T12:00:00Z');
const hourMs = 3_600_000;

function lineOf(line: string): { level: string; code: unknown; text: string } {
  const { level, code, msg } = JSON.parse(line) as { level: number; code: unknown; msg: string };
  return { level: pino.levels.labels[level]!, code, text: msg };
}

const queues = { enqueue: () => Promise.resolve() };

interface Ages {
  /** Since GitHub sent it. */
  sentMs?: number;
  /** Since it came here. */
  storedMs?: number;
}

async function stored({ sentMs = 0, storedMs = sentMs }: Ages = {}): Promise<string> {
  const guid = randomUUID();
  const [receivedAt, storedAt] = [sentMs, storedMs].map((ageMs) => new Date(now.getTime() - ageMs)) as [Date, Date];
  const payload = Buffer.from('{"zen":"calm"}');
  const about = { guid, event: 'push', action: null, installationId: null, repositoryId: null, payload };
  await insertDeliveries(database.pool, [{ ...about, receivedAt, storedAt, ignored: null }]);
  return guid;
}

/** Stores a delivery, works on it with a handler that throws, and gives what was thrown on and what was written down. */
async function work(thrown: unknown, ages: Ages = {}) {
  const guid = await stored(ages);
  const received: unknown[] = [];
  const probot = {
    receive: (event: unknown) => {
      received.push(event);
      return thrown === null ? Promise.resolve() : Promise.reject(new AggregateError([thrown]));
    },
  };
  const said: { level: string; code: unknown; text: string }[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line) => said.push(lineOf(line)) });
  const rethrown = await processDelivery({ database, queues, log, now: () => now, probot }, guid).catch(
    (error: unknown) => error,
  );
  const row = await database.db.delivery.findUniqueOrThrow({ where: { guid } });
  return { guid, received, rethrown, row, probot, said, log };
}

describe('processDelivery', () => {
  it('hands the event on as GitHub sent it, and settles it', async () => {
    const { guid, received, rethrown, row } = await work(null);
    expect(received).toEqual([{ id: guid, name: 'push', payload: { zen: 'calm' } }]);
    expect(rethrown).toBeUndefined();
    expect(row).toMatchObject({ status: 'processed', processedAt: now });
  });

  it.each([
    ['ignored', new IgnoredError('tag_push', 'Tags are not deployed.'), 'tag_push', 'Tags are not deployed.'],
    ['failed', new InputError('payload_unusable', 'No ref.'), 'payload_unusable', 'No ref.'],
    ['failed', new StalledError('github_forbidden', 'No.', { hint: 'Accept.' }), 'github_forbidden', 'No. Accept.'],
  ])('settles as %s what never changes by itself', async (status, thrown, reasonCode, reason) => {
    const { rethrown, row, said } = await work(thrown);
    expect(rethrown).toBeUndefined();
    expect(row).toMatchObject({ status, reasonCode, reason });
    expect(said).toEqual([{ level: status === 'ignored' ? 'info' : 'warn', code: reasonCode, text: reason }]);
  });

  it.each([
    ['what waits for a time', new WaitingError('github_rate_limited', 'Later.', { until: now })],
    ['what nobody planned for', new Error('connection reset')],
  ])('throws on %s, so that it is tried again', async (_what, thrown) => {
    const { rethrown, row } = await work(thrown);
    expect(rethrown).toBe(thrown);
    expect(row).toMatchObject({ status: 'received', attempts: 1, reason: thrown.message });
  });

  it('gives up after a day', async () => {
    const { rethrown, row, said } = await work(new Error('connection reset'), { sentMs: 25 * hourMs });
    expect(rethrown).toBeUndefined();
    expect(row).toMatchObject({ status: 'failed', reasonCode: 'internal', reason: 'connection reset' });
    expect(said).toEqual([{ level: 'warn', code: 'internal', text: 'connection reset' }]);
  });

  it('P40: does not give up on one that was sent days ago and came here only now', async () => {
    const { rethrown, row } = await work(new Error('connection reset'), { sentMs: 70 * hourMs, storedMs: hourMs });
    expect(rethrown).toMatchObject({ message: 'connection reset' });
    expect(row).toMatchObject({ status: 'received', attempts: 1 });
  });

  it('forgets what stood in the way once it is done', async () => {
    const { guid, log } = await work(new Error('connection reset'));
    await processDelivery(
      { database, queues, log, now: () => now, probot: { receive: () => Promise.resolve() } },
      guid,
    );
    const row = await database.db.delivery.findUniqueOrThrow({ where: { guid } });
    expect(row).toMatchObject({ status: 'processed', reasonCode: null, reason: null });
  });

  it('P40: does nothing about one that is settled, or that is gone', async () => {
    const { guid, probot, received, log } = await work(null);
    const again = (which: string) => processDelivery({ database, queues, log, now: () => now, probot }, which);
    await expect(again(guid)).rejects.toMatchObject({ code: 'settled' });
    await expect(again('never-received')).rejects.toMatchObject({ code: 'subject_gone' });
    expect(received).toHaveLength(1);
  });

  it('fails one that no process survives, and works on no other for it', async () => {
    const dying = { receive: () => new Promise<never>(() => undefined) };
    const [guid, other] = [await stored(), await stored()];
    const deps = { database, queues, log: pino({ level: 'silent' }), now: () => now };
    const started = (count: number) =>
      vi.waitFor(async () => expect(await findDelivery(database.db, guid)).toMatchObject({ openStarts: count }));
    for (const count of [1, 2, 3]) {
      void processDelivery({ ...deps, probot: dying }, guid);
      await started(count);
    }
    await processDelivery({ ...deps, probot: dying }, guid);
    expect(await database.db.delivery.findUniqueOrThrow({ where: { guid } })).toMatchObject({
      ...{ status: 'failed', reasonCode: 'server_ended', attempts: 3, processedAt: now },
      reason: 'The server ended while it worked on this, three times.',
    });
    await processDelivery({ ...deps, probot: { receive: () => Promise.resolve() } }, other);
    expect(await findDelivery(database.db, other)).toMatchObject({ status: 'processed', attempts: 1 });
  });

  it('counts no start that came back: failures are repeated as often as before', async () => {
    const guid = await stored();
    const probot = { receive: () => Promise.reject(new Error('connection reset')) };
    const deps = { database, queues, log: pino({ level: 'silent' }), now: () => now, probot };
    for (let attempt = 0; attempt < 10; attempt++)
      await expect(processDelivery(deps, guid)).rejects.toThrow('connection reset');
    expect(await findDelivery(database.db, guid)).toMatchObject({ status: 'received', attempts: 10, openStarts: 0 });
  });
});
