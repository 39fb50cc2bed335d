/** Pages of one or several log streams, merged by time, with a cursor to go on from. */
import Type from 'typebox';
import Value from 'typebox/value';
import { LargeCount } from '../../core/contract/numbers.ts';
import type { LogPage } from '../../core/contract/resources/log-pages.ts';
import { ApiError } from '../../platform/errors/api-codes.ts';
import type { Db } from '../../prisma/client.ts';
import { readLog, readLogTail, type LogRead } from '../../prisma/store/logs.ts';

export interface LogSource {
  stream: string;
  /** Who wrote it, when there are several; null for a log of its own. */
  source: string | null;
}

export interface LogRequest {
  /** Null: the last lines. */
  cursor: string | null;
  /** Lines of each stream at most. */
  limit: number;
}

const Positions = Type.Record(Type.String(), LargeCount);

/** Of each stream, the number of the line that comes next. */
type Positions = Record<string, number>;

export function encodeCursor(positions: Positions): string {
  return Buffer.from(JSON.stringify(positions)).toString('base64url');
}

/** @throws ApiError for what is no cursor of ours. */
export function decodeCursor(cursor: string): Positions {
  const refused = new ApiError('invalid_request', 'This cursor was not made here; begin without one.');
  try {
    const positions: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Value.Check(Positions, positions)) return positions;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw refused;
}

export interface PageRead {
  page: Omit<LogPage, 'ended'>;
  /** Of each source, in their order. */
  reads: Pick<LogRead, 'isLast' | 'endedAttempt'>[];
}

export async function readLogPage(
  db: Db,
  sources: readonly LogSource[],
  { cursor, limit }: LogRequest,
): Promise<PageRead> {
  const from = cursor === null ? null : decodeCursor(cursor);
  const reads = await Promise.all(
    sources.map(async ({ stream, source }) => {
      const read =
        from === null
          ? await readLogTail(db, stream, limit)
          : await readLog(db, stream, { from: from[stream] ?? 0, limit });
      return { ...read, stream, lines: read.lines.map((line) => ({ ...line, source })) };
    }),
  );
  const page = {
    lines: reads.flatMap(({ lines }) => lines).toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)),
    cursor: encodeCursor(Object.fromEntries(reads.map(({ stream, next }) => [stream, next]))),
  };
  return { page, reads };
}
