/**
 * Lines of one log on their way to the control plane. Offsets count lines; what was sent and not acknowledged stays as it was, so
 * a batch may be sent twice. When nobody takes lines for long, the middle of what waits is dropped, and a line says so.
 */
import type { LogLine } from '../../core/contract/logs.ts';

export interface LogBuffer {
  readonly push: (lines: readonly LogLine[]) => void;
  /** No more lines come. */
  readonly end: () => void;
  /** What is to be sent now, `end` included: at least one line, if there is one; null when there is nothing. */
  readonly next: (most: BatchSize) => NextBatch | null;
  /** The other side has every line before this offset. */
  readonly acknowledge: (nextOffset: number, endWasSent: boolean) => void;
  /** The other side will not take these first lines; their numbers are left out. Gives the offset of what follows. */
  readonly skip: (count: number) => number;
  readonly isDone: () => boolean;
}

export interface BatchSize {
  lines: number;
  /** As it travels. */
  bytes: number;
}

export interface NextBatch {
  offset: number;
  lines: LogLine[];
  end: boolean;
  /** As it travels. */
  bytes: number;
}

export interface BufferOptions {
  /** That wait at most, about. */
  maxBytes: number;
  /** Offset of the first line that will be pushed. */
  startOffset: number;
}

interface Waiting {
  line: LogLine;
  bytes: number;
  /** Lines whose place it takes; 0 of a line of the log itself. */
  dropped: number;
}

export function logBuffer({ maxBytes, startOffset }: BufferOptions): LogBuffer {
  let lines: Waiting[] = [];
  let waitingBytes = 0;
  let base = startOffset;
  let sent = 0;
  let state: 'open' | 'ended' | 'done' = 'open';

  const dropMiddle = (): void => {
    let keepFirst = Math.max(sent, countWithin(lines, maxBytes / 2));
    // A note at the border is part of what is dropped: one note stands for all of it.
    while (keepFirst > sent && isNote(lines[keepFirst - 1])) keepFirst -= 1;
    const keepLast = Math.max(1, countWithin(lines.toReversed(), maxBytes / 4));
    const lastFrom = Math.max(keepFirst, lines.length - keepLast);
    const gone = lines.slice(keepFirst, lastFrom);
    const at = gone.at(-1)?.line.at;
    if (at === undefined) return;
    const dropped = gone.reduce((count, one) => count + Math.max(1, one.dropped), 0);
    const note = { ...sized({ at, text: noteText(dropped), error: true }), dropped };
    lines = [...lines.slice(0, keepFirst), note, ...lines.slice(lastFrom)];
    waitingBytes = sum(lines);
  };
  const removeFirst = (count: number): void => {
    waitingBytes -= sum(lines.slice(0, count));
    lines = lines.slice(count);
    base += count;
    sent = Math.max(0, sent - count);
  };

  return {
    push: (more) => {
      if (state !== 'open') return;
      for (const line of more) {
        const one = sized(line);
        lines.push({ ...one, dropped: 0 });
        waitingBytes += one.bytes;
      }
      if (waitingBytes > maxBytes) dropMiddle();
    },
    end: () => {
      if (state === 'open') state = 'ended';
    },
    next: (most) => {
      const within = countWithin(lines.slice(0, most.lines), most.bytes);
      const batch = lines.slice(0, Math.max(1, within));
      const end = state === 'ended' && batch.length === lines.length;
      if (batch.length === 0 && !end) return null;
      sent = Math.max(sent, batch.length);
      return { offset: base, lines: batch.map(({ line }) => line), end, bytes: sum(batch) };
    },
    acknowledge: (nextOffset, endWasSent) => {
      removeFirst(Math.min(lines.length, Math.max(0, nextOffset - base)));
      if (endWasSent && lines.length === 0 && state === 'ended') state = 'done';
    },
    skip: (count) => {
      removeFirst(Math.min(lines.length, count));
      return base;
    },
    isDone: () => state === 'done',
  };
}

/** Field names, quotes and the time. */
const lineOverhead = 70;

function sized(line: LogLine): { line: LogLine; bytes: number } {
  return { line, bytes: Buffer.byteLength(JSON.stringify(line.text)) + lineOverhead };
}

function isNote(one: Waiting | undefined): boolean {
  return one !== undefined && one.dropped > 0;
}

function sum(lines: readonly Waiting[]): number {
  return lines.reduce((total, { bytes }) => total + bytes, 0);
}

/** How many of the first lines fit. */
function countWithin(lines: readonly Waiting[], maxBytes: number): number {
  let left = maxBytes;
  const over = lines.findIndex(({ bytes }) => (left -= bytes) < 0);
  return over === -1 ? lines.length : over;
}

function noteText(count: number): string {
  return `[landfall: ${count} lines were dropped here because the control plane did not take them in time]`;
}
