/** The inbox: webhooks as received, by GitHub's GUID. */
import type { Pool } from 'pg';
import type { Db } from '../client.ts';
import { safeNumber } from './safe-number.ts';

export interface NewDelivery {
  guid: string;
  event: string;
  action: string | null;
  installationId: number | null;
  repositoryId: number | null;
  /** The raw bytes, as signed. */
  payload: Buffer;
  /** When GitHub sent it, as far as is known. */
  receivedAt: Date;
  /** When it is written here: later, for one that was fetched because it never arrived. */
  storedAt: Date;
  /** Set when nothing here handles the event: that it came is kept, and nothing is done. */
  ignored: { code: string; reason: string } | null;
}

/** Of a delivery that nothing handles, only that it came is kept. */
const nothing = Buffer.alloc(0);

/**
 * Stores a group in one statement and gives the GUIDs that were new; a known one changes nothing. The payloads travel as
 * one binary value that the server cuts up: an array of them would be sent as hexadecimal text.
 */
export async function insertDeliveries(pool: Pool, deliveries: readonly NewDelivery[]): Promise<Set<string>> {
  const { rows } = await pool.query<{ guid: string }>({
    name: 'insert-deliveries',
    text: insertGroup,
    values: columnsOf(deliveries),
  });
  return new Set(rows.map(({ guid }) => guid));
}

const insertGroup = `
  INSERT INTO "Delivery"
    ("guid", "event", "action", "installationId", "repositoryId", "payload", "status", "reasonCode", "reason",
     "receivedAt", "storedAt", "processedAt")
  SELECT d.guid, d.event, d.action, d.installation, d.repository, substring($1::bytea FROM d.start FOR d.size),
         CASE WHEN d.code IS NULL THEN 'received' ELSE 'ignored' END::"DeliveryStatus", d.code, d.reason,
         d.received, d.stored, CASE WHEN d.code IS NULL THEN NULL ELSE d.stored END
  FROM unnest($2::int[], $3::int[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::text[],
              $10::text[], $11::timestamptz[], $12::timestamptz[])
    AS d(start, size, guid, event, action, installation, repository, code, reason, received, stored)
  ON CONFLICT ("guid") DO NOTHING
  RETURNING "guid"`;

function columnsOf(deliveries: readonly NewDelivery[]): unknown[] {
  const payloads = deliveries.map(({ ignored, payload }) => (ignored === null ? payload : nothing));
  // SQL counts bytes from 1.
  let end = 1;
  const starts = payloads.map(({ length }) => {
    end += length;
    return end - length;
  });
  return [
    Buffer.concat(payloads),
    starts,
    payloads.map(({ length }) => length),
    deliveries.map(({ guid }) => guid),
    deliveries.map(({ event }) => event),
    deliveries.map(({ action }) => action),
    deliveries.map(({ installationId }) => installationId),
    deliveries.map(({ repositoryId }) => repositoryId),
    deliveries.map(({ ignored }) => ignored?.code ?? null),
    deliveries.map(({ ignored }) => ignored?.reason ?? null),
    deliveries.map(({ receivedAt }) => receivedAt.toISOString()),
    deliveries.map(({ storedAt }) => storedAt.toISOString()),
  ];
}

export type DeliveryOutcome = { status: 'processed' } | { status: 'ignored' | 'failed'; code: string; reason: string };

export interface StoredDelivery {
  guid: string;
  event: string;
  action: string | null;
  payload: Buffer;
  status: 'received' | 'processed' | 'ignored' | 'failed';
  receivedAt: Date;
  storedAt: Date;
  repositoryId: number | null;
  /** Starts of the work on it. */
  attempts: number;
  /** Starts in a row that nothing came back from: they go on, or their process died. */
  openStarts: number;
}

/** Null when it was never received, or is older than what is kept. */
export async function findDelivery(db: Db, guid: string): Promise<StoredDelivery | null> {
  const row = await db.delivery.findUnique({ where: { guid } });
  if (row === null) return null;
  const { payload, repositoryId } = row;
  return {
    ...row,
    payload: Buffer.from(payload.buffer, payload.byteOffset, payload.length),
    repositoryId: repositoryId === null ? null : safeNumber(repositoryId),
  };
}

/** Of `openStarts`; 0 when there is no such delivery. */
export async function openStartsOf(db: Db, guid: string): Promise<number> {
  const row = await db.delivery.findUnique({ where: { guid }, select: { openStarts: true } });
  return row?.openStarts ?? 0;
}

/** Counts an attempt before the work on it begins: one that ends the process is counted too. */
export async function startDelivery(db: Db, guid: string): Promise<void> {
  await db.delivery.updateMany({
    where: { guid, status: 'received' },
    data: { attempts: { increment: 1 }, openStarts: { increment: 1 } },
  });
}

/** Throws when there is none. */
export async function deliveryReceivedAt(db: Db, guid: string): Promise<Date> {
  const { receivedAt } = await db.delivery.findUniqueOrThrow({ where: { guid }, select: { receivedAt: true } });
  return receivedAt;
}

/** Says how the work on it ended, once: a delivery that is settled stays so, and false is answered. */
export async function settleDelivery(db: Db, guid: string, outcome: DeliveryOutcome, at: Date): Promise<boolean> {
  const { count } = await db.delivery.updateMany({
    where: { guid, status: 'received' },
    data: {
      status: outcome.status,
      processedAt: at,
      // What stood in the way of an earlier attempt is no part of how it ended.
      ...(outcome.status === 'processed'
        ? { reasonCode: null, reason: null }
        : { reasonCode: outcome.code, reason: outcome.reason }),
    },
  });
  return count === 1;
}

/** Says of an attempt that will be repeated what stood in its way. It came back, so none is open. */
export async function postponeDelivery(db: Db, guid: string, why: { code: string; reason: string }): Promise<void> {
  await db.delivery.updateMany({
    where: { guid, status: 'received' },
    data: { openStarts: 0, reasonCode: why.code, reason: why.reason },
  });
}

/** Of these GUIDs, those that were never received. */
export async function unknownGuids(db: Db, guids: readonly string[]): Promise<string[]> {
  const known = await db.delivery.findMany({ where: { guid: { in: [...guids] } }, select: { guid: true } });
  const knownGuids = new Set(known.map(({ guid }) => guid));
  return [...new Set(guids)].filter((guid) => !knownGuids.has(guid));
}

/** Deliveries that nobody has worked on yet, oldest first: what the sweep wakes. */
export async function unprocessedDeliveries(db: Db, before: Date, limit: number): Promise<string[]> {
  const rows = await db.delivery.findMany({
    where: { status: 'received', receivedAt: { lte: before } },
    orderBy: { receivedAt: 'asc' },
    take: limit,
    select: { guid: true },
  });
  return rows.map(({ guid }) => guid);
}

/**
 * Forgets some of what was settled long ago, and gives how many. GitHub redelivers for three days, and a GUID must be known for as long.
 */
export async function deleteOldDeliveries(db: Db, before: Date, limit: number): Promise<number> {
  return db.$executeRaw`
    DELETE FROM "Delivery" WHERE guid = ANY(ARRAY(
      SELECT guid FROM "Delivery" WHERE "receivedAt" < ${before} AND status <> 'received' LIMIT ${limit}))`;
}
