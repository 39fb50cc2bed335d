/** Logs: bounded streams of numbered lines, `build:<id>` or `allocation:<id>`. A jump in the numbers is what was dropped. */
import Type from 'typebox';
import Value from 'typebox/value';
import { LogLine } from '../../core/contract/logs.ts';
import { Prisma, type Db, type LogChunk } from '../client.ts';

export interface LogBatchRow {
  stream: string;
  /** Of the build; 0 for an allocation. */
  attempt: number;
  /** Number of the first line within this attempt. */
  offset: number;
  lines: readonly LogLine[];
  /** The attempt writes no more after these. */
  end: boolean;
  at: Date;
}

export interface Appended {
  /** Number of the next line within this attempt. */
  nextOffset: number;
  added: number;
}

const streamLocks = 0x10c5;
/** Small appends are gathered in one chunk up to here; `ms` keeps the age of its lines near that of the chunk. */
const gathered = { bytes: 4_096, lines: 64, ms: 3_600_000 };
/** A chunk with lines counts for so many bytes at least: a row costs, whatever little it holds. */
const leastWeight = 2_048;
/** Of the bound, what is left of a stream that met it: so that it is met again rarely. */
const kept = { head: 0.5, tail: 0.4 };

/**
 * Appends what the stream does not have yet; a batch sent twice is stored once, and a batch that begins later than the stream
 * ends leaves a jump. Runs in a transaction: writers of one stream take turns. A later attempt of a build counts from 0
 * again and continues the same stream. The end of an attempt is a chunk without lines, until a later attempt goes on there.
 * Costs the same however long the stream is, save where it meets its bound. Takes chunks before their stream's row, as `deleteOldLogs`.
 */
export async function appendLog(db: Db, batch: LogBatchRow, maxBytes: number): Promise<Appended> {
  await db.$executeRaw`SELECT pg_advisory_xact_lock(${streamLocks}::int, hashtext(${batch.stream}))`;
  const last = await lastChunk(db, batch.stream);
  const known = await knownStream(db, batch, last);
  // Another attempt has followed it meanwhile: what it still says is nobody's.
  if (batch.attempt < known.attempt) return { nextOffset: batch.offset + batch.lines.length, added: 0 };
  const end = known.next;
  const base = batch.attempt > known.attempt ? end : known.base;
  const from = Math.max(end - base, batch.offset);
  const lines = batch.lines.slice(from - batch.offset);
  if (lines.length === 0 && !batch.end) return { nextOffset: end - base, added: 0 };
  const next = base + from + lines.length;
  const weight = lines.length === 0 ? 0 : await addLines(db, { ...batch, offset: base + from, lines }, last);
  if (batch.end) await markEnd(db, batch, next);
  const left = known.bytes + weight > maxBytes ? await dropMiddle(db, batch.stream, maxBytes) : null;
  await keepStream(
    db,
    { stream: batch.stream, next, attempt: batch.attempt, base, bytes: known.bytes },
    { weight, left },
  );
  return { nextOffset: lines.length === 0 ? end - base : next - base, added: lines.length };
}

interface LastChunk {
  offset: bigint;
  attempt: number;
  bytes: number;
  at: Date;
  /** Null where more are not to be gathered in it. */
  count: number | null;
}

async function lastChunk(db: Db, stream: string): Promise<LastChunk | null> {
  const [last] = await db.$queryRaw<LastChunk[]>`
    SELECT "offset", attempt, bytes, at,
      CASE WHEN bytes < ${gathered.bytes} AND jsonb_typeof(lines) = 'array' THEN jsonb_array_length(lines) END AS count
    FROM "LogChunk" WHERE stream = ${stream} ORDER BY "offset" DESC LIMIT 1`;
  return last ?? null;
}

/** Of a stream: as its row says it, but with numbers. */
interface KnownStream {
  next: number;
  attempt: number;
  base: number;
  bytes: number;
}

async function knownStream(db: Db, batch: LogBatchRow, last: LastChunk | null): Promise<KnownStream> {
  const row = await db.logStream.findUnique({ where: { stream: batch.stream } });
  if (row !== null) {
    const { next, attempt, base, bytes } = row;
    return { next: Number(next), attempt, base: Number(base), bytes: Number(bytes) };
  }
  if (last === null) return { next: 0, attempt: batch.attempt, base: 0, bytes: 0 };
  return derivedStream(db, batch.stream, last.attempt);
}

/** What its row would say. A chunk that cannot be read counts for one line. */
async function derivedStream(db: Db, stream: string, attempt: number): Promise<KnownStream> {
  const [derived] = await db.$queryRaw<{ next: bigint; base: bigint; bytes: bigint }[]>`
    SELECT min("offset") FILTER (WHERE attempt = ${attempt}) AS base, sum(${weightOfChunk})::bigint AS bytes,
      max("offset" + CASE WHEN bytes = 0 THEN 0 WHEN jsonb_typeof(lines) = 'array' THEN jsonb_array_length(lines) ELSE 1 END) AS next
    FROM "LogChunk" WHERE stream = ${stream}`;
  const { next, base, bytes } = derived ?? { next: 0n, base: 0n, bytes: 0n };
  return { next: Number(next), attempt, base: Number(base), bytes: Number(bytes) };
}

/** Gives by how much the stream weighs more. */
async function addLines(db: Db, batch: LogBatchRow, last: LastChunk | null): Promise<number> {
  const { stream, attempt, at } = batch;
  const lines = [...batch.lines];
  const offset = BigInt(batch.offset);
  const bytes = lines.reduce((sum, { text }) => sum + Buffer.byteLength(text) + 1, 0);
  if (last !== null && mayGather(last, batch, bytes)) {
    await db.$executeRaw`
      UPDATE "LogChunk" SET lines = lines || ${JSON.stringify(lines)}::jsonb, bytes = bytes + ${bytes}
      WHERE stream = ${stream} AND "offset" = ${last.offset}`;
    return weightOf(last.bytes + bytes) - weightOf(last.bytes);
  }
  if (last?.offset === offset) await db.logChunk.deleteMany({ where: { stream, offset, bytes: 0 } });
  await db.logChunk.create({ data: { stream, attempt, offset, lines, bytes, at } });
  return weightOf(bytes);
}

function mayGather(last: LastChunk, batch: LogBatchRow, bytes: number): boolean {
  return (
    last.bytes > 0 &&
    last.count !== null &&
    last.attempt === batch.attempt &&
    Number(last.offset) + last.count === batch.offset &&
    last.bytes + bytes <= gathered.bytes &&
    last.count + batch.lines.length <= gathered.lines &&
    batch.at.getTime() - last.at.getTime() < gathered.ms
  );
}

async function markEnd(db: Db, { stream, attempt, at }: LogBatchRow, end: number): Promise<void> {
  const mark = { stream, offset: BigInt(end) };
  await db.logChunk.upsert({
    where: { stream_offset: mark },
    create: { ...mark, attempt, lines: [], bytes: 0, at },
    update: { attempt, at },
  });
}

function weightOf(bytes: number): number {
  return bytes === 0 ? 0 : Math.max(bytes, leastWeight);
}

const weightOfChunk = Prisma.sql`CASE WHEN bytes = 0 THEN 0 ELSE greatest(bytes, ${leastWeight}::int) END`;

/**
 * Keeps what fits in the two shares of the bound, from the beginning and from the end, and the last lines whatever their size. Gives what
 * the stream weighs then.
 */
async function dropMiddle(db: Db, stream: string, maxBytes: number): Promise<number> {
  const [head, tail] = [Math.floor(maxBytes * kept.head), Math.floor(maxBytes * kept.tail)];
  const [dropped] = await db.$queryRaw<{ left: bigint }[]>`
    WITH weighed AS (
      SELECT "offset", ${weightOfChunk} AS weight FROM "LogChunk" WHERE stream = ${stream}
    ), placed AS (
      SELECT "offset", weight, sum(weight) OVER (ORDER BY "offset") AS up_to, sum(weight) OVER (ORDER BY "offset" DESC) AS remaining
      FROM weighed
    ), dropped AS (
      DELETE FROM "LogChunk" USING placed
      WHERE stream = ${stream} AND "LogChunk"."offset" = placed."offset"
        AND placed.up_to > ${head}::bigint AND placed.remaining > ${tail}::bigint AND placed.remaining > placed.weight
      RETURNING placed.weight
    )
    SELECT ((SELECT sum(weight) FROM placed) - coalesce((SELECT sum(weight) FROM dropped), 0))::bigint AS left`;
  return Number(dropped?.left ?? 0);
}

/** `left` is what the stream weighs; where that was not looked for, it weighs more by `weight`. */
async function keepStream(
  db: Db,
  { stream, next, attempt, base, bytes }: KnownStream & { stream: string },
  { weight, left }: { weight: number; left: number | null },
): Promise<void> {
  await db.$executeRaw`
    INSERT INTO "LogStream" (stream, next, attempt, base, bytes)
    VALUES (${stream}, ${next}::bigint, ${attempt}, ${base}::bigint, ${left ?? bytes + weight}::bigint)
    ON CONFLICT (stream) DO UPDATE SET next = EXCLUDED.next, attempt = EXCLUDED.attempt, base = EXCLUDED.base,
      bytes = coalesce(${left}::bigint, "LogStream".bytes + ${weight}::bigint)`;
}

/** At most `limit` chunks, and what is known of streams that have no others. Gives how many chunks. */
export async function deleteOldLogs(db: Db, before: Date, limit: number): Promise<number> {
  const [deleted] = await db.$queryRaw<{ chunks: bigint }[]>`
    WITH old AS (
      DELETE FROM "LogChunk" WHERE ctid = ANY(ARRAY(SELECT ctid FROM "LogChunk" WHERE at < ${before} LIMIT ${limit}))
      RETURNING stream, ${weightOfChunk} AS weight
    ), freed AS (
      SELECT stream, sum(weight)::bigint AS bytes FROM old GROUP BY stream
    ), emptied AS (
      DELETE FROM "LogStream" USING freed WHERE "LogStream".stream = freed.stream AND "LogStream".bytes <= freed.bytes
    ), lessened AS (
      UPDATE "LogStream" SET bytes = "LogStream".bytes - freed.bytes FROM freed
      WHERE "LogStream".stream = freed.stream AND "LogStream".bytes > freed.bytes
    )
    SELECT count(*) AS chunks FROM old`;
  return Number(deleted?.chunks ?? 0);
}

export interface StoredLine extends LogLine {
  offset: number;
}

export interface LogRead {
  lines: StoredLine[];
  /** The number of the line that comes next. */
  next: number;
  /** No line that is stored follows. False also where that was not looked for. */
  isLast: boolean;
  /** The attempt that wrote these last lines and writes no more; null while more may come. */
  endedAttempt: number | null;
}

const Lines = Type.Array(LogLine);

/** A chunk that cannot be read counts as lines that are left out: it does not keep a reader from the others (P04). */
function parseLines(chunk: LogChunk): LogLine[] {
  return Value.Check(Lines, chunk.lines) ? chunk.lines : [];
}

function numbered(chunks: readonly LogChunk[]): StoredLine[] {
  return chunks.flatMap((chunk) =>
    parseLines(chunk).map((line, index) => ({ ...line, offset: Number(chunk.offset) + index })),
  );
}

/** Of the newest chunk of a stream. */
function endOf(chunk: LogChunk | undefined): number | null {
  return chunk?.bytes === 0 ? chunk.attempt : null;
}

/** Read at once. */
const maxChunks = 50;

/** Lines numbered `from` and above, up to about `limit` of them. */
export async function readLog(
  db: Db,
  stream: string,
  { from, limit }: { from: number; limit: number },
): Promise<LogRead> {
  const holding = await db.logChunk.findFirst({
    where: { stream, offset: { lte: BigInt(from) } },
    orderBy: { offset: 'desc' },
    select: { offset: true },
  });
  const chunks = await db.logChunk.findMany({
    where: { stream, offset: { gte: holding?.offset ?? BigInt(from) } },
    orderBy: { offset: 'asc' },
    take: maxChunks,
  });
  const found = numbered(chunks).filter(({ offset }) => offset >= from);
  const lines = found.slice(0, limit);
  const isLast = chunks.length < maxChunks && lines.length === found.length;
  const next = (lines.at(-1)?.offset ?? from - 1) + 1;
  return { lines, next, isLast, endedAttempt: isLast ? endOf(chunks.at(-1)) : null };
}

/** The last `limit` lines. */
export async function readLogTail(db: Db, stream: string, limit: number): Promise<LogRead> {
  const lines: StoredLine[] = [];
  let before: bigint | null = null;
  let newest: LogChunk | undefined;
  while (lines.length < limit) {
    const chunks: LogChunk[] = await db.logChunk.findMany({
      where: { stream, ...(before === null ? {} : { offset: { lt: before } }) },
      orderBy: { offset: 'desc' },
      take: 20,
    });
    newest ??= chunks[0];
    lines.unshift(...numbered(chunks.toReversed()));
    before = chunks.at(-1)?.offset ?? null;
    if (chunks.length < 20) break;
  }
  const kept = lines.slice(-limit);
  return { lines: kept, next: (kept.at(-1)?.offset ?? -1) + 1, isLast: true, endedAttempt: endOf(newest) };
}

/** Whether the node may write to this stream: an allocation of its own, or the newest attempt of a build that it holds. */
export async function mayWriteLog(
  db: Db,
  { nodeId, kind, id, attempt }: { nodeId: string; kind: 'build' | 'allocation'; id: string; attempt: number },
): Promise<'yes' | 'not_assigned' | 'attempt_stale'> {
  if (kind === 'allocation') return (await db.allocation.count({ where: { id, nodeId } })) > 0 ? 'yes' : 'not_assigned';
  const own = await db.workItem.findFirst({ where: { buildId: id, nodeId, attempt, claimedAt: { not: null } } });
  if (own === null) return 'not_assigned';
  const newer = await db.workItem.count({ where: { buildId: id, attempt: { gt: attempt } } });
  return newer > 0 || own.status === 'expired' ? 'attempt_stale' : 'yes';
}
