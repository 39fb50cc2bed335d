/** Logs: bounded streams of numbered lines, `build:<id>` or `allocation:<id>`. A jump in the numbers is what was dropped. */
import Type from 'typebox';
import Value from 'typebox/value';
import { LogLine } from '../../core/contract/logs.ts';
import type { Db, LogChunk } from '../client.ts';

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

/**
 * Appends what the stream does not have yet; a batch sent twice is stored once, and a batch that begins later than the stream
 * ends leaves a jump. Runs in a transaction: writers of one stream take turns. A later attempt of a build counts from 0
 * again and continues the same stream. The end of an attempt is a chunk without lines, until a later attempt goes on there.
 */
export async function appendLog(db: Db, batch: LogBatchRow, maxBytes: number): Promise<Appended> {
  await db.$executeRaw`SELECT pg_advisory_xact_lock(${streamLocks}::int, hashtext(${batch.stream}))`;
  const end = await streamEnd(db, batch.stream);
  const base = await attemptBase(db, batch, end);
  const next = Math.max(end - base, batch.offset);
  const lines = batch.lines.slice(next - batch.offset);
  if (batch.end) await markEnd(db, batch, base + next + lines.length);
  if (lines.length === 0) return { nextOffset: end - base, added: 0 };
  const bytes = lines.reduce((sum, { text }) => sum + Buffer.byteLength(text) + 1, 0);
  const { stream, attempt, at } = batch;
  await dropMark(db, stream, base + next);
  // The attempt's first chunk says where its line 0 lies, also when the lines before this batch are lost.
  if (end === base && next > 0) {
    await dropMark(db, stream, base);
    await db.logChunk.create({ data: { stream, attempt, offset: BigInt(base), lines: [], bytes: 0, at } });
  }
  await db.logChunk.create({ data: { stream, attempt, offset: BigInt(base + next), lines, bytes, at } });
  await dropMiddle(db, stream, maxBytes);
  return { nextOffset: next + lines.length, added: lines.length };
}

async function markEnd(db: Db, { stream, attempt, at }: LogBatchRow, end: number): Promise<void> {
  await dropMark(db, stream, end);
  await db.logChunk.create({ data: { stream, attempt, offset: BigInt(end), lines: [], bytes: 0, at } });
}

async function dropMark(db: Db, stream: string, end: number): Promise<void> {
  await db.logChunk.deleteMany({ where: { stream, offset: BigInt(end), bytes: 0 } });
}

async function streamEnd(db: Db, stream: string): Promise<number> {
  const last = await db.logChunk.findFirst({ where: { stream }, orderBy: { offset: 'desc' } });
  return last === null ? 0 : Number(last.offset) + parseLines(last).length;
}

/** Where the attempt's line 0 lies in the stream. Its first chunk is never the one that is dropped. */
async function attemptBase(db: Db, { stream, attempt }: LogBatchRow, end: number): Promise<number> {
  const first = await db.logChunk.findFirst({ where: { stream, attempt }, orderBy: { offset: 'asc' } });
  return first === null ? end : Number(first.offset);
}

/** Keeps half of the bound from the beginning and half from the end, and the last chunk whatever its size. */
async function dropMiddle(db: Db, stream: string, maxBytes: number): Promise<void> {
  await db.$executeRaw`
    WITH sized AS (
      SELECT "offset", bytes, sum(bytes) OVER (ORDER BY "offset") - bytes AS before,
        sum(bytes) OVER (ORDER BY "offset" DESC) AS remaining,
        row_number() OVER (PARTITION BY attempt ORDER BY "offset") AS place
      FROM "LogChunk" WHERE stream = ${stream} AND (SELECT sum(bytes) FROM "LogChunk" WHERE stream = ${stream}) > ${maxBytes}
    )
    DELETE FROM "LogChunk" USING sized
    WHERE stream = ${stream} AND "LogChunk"."offset" = sized."offset"
      AND sized.before >= ${maxBytes}::int / 2 AND sized.remaining > ${maxBytes}::int / 2
      AND sized.remaining > sized.bytes AND sized.place > 1`;
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
