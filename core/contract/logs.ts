/** Batched log lines: `POST /api/v1/agent/logs`. Offsets count lines of a stream, so a batch may be sent twice. */
import Type, { type Static } from 'typebox';
import { Count, LargeCount } from './numbers.ts';

export const LogLine = Type.Object({
  at: Type.String({ format: 'date-time' }),
  text: Type.String({ maxLength: 16_384 }),
  /** From standard error. */
  error: Type.Boolean(),
});
export type LogLine = Static<typeof LogLine>;

export const LogBatch = Type.Object({
  kind: Type.Union([Type.Literal('build'), Type.Literal('allocation')]),
  /** A build id or an allocation id, of this node's own. */
  id: Type.String(),
  /** The build's attempt, which fences late writers; 0 for an allocation. */
  attempt: Count,
  /** Number of the first line in the stream. */
  offset: LargeCount,
  lines: Type.Array(LogLine, { maxItems: 1_000 }),
  /** No more lines come. */
  end: Type.Boolean(),
});
export type LogBatch = Static<typeof LogBatch>;

export const LogsRequest = Type.Object({ batches: Type.Array(LogBatch, { maxItems: 100 }) });
export type LogsRequest = Static<typeof LogsRequest>;

export const LogsAnswer = Type.Object({
  /** Per batch: the offset expected next, or why it was refused. */
  accepted: Type.Array(
    Type.Union([
      Type.Object({ ok: Type.Literal(true), nextOffset: Type.Integer() }),
      Type.Object({ ok: Type.Literal(false), code: Type.String() }),
    ]),
  ),
});
export type LogsAnswer = Static<typeof LogsAnswer>;
