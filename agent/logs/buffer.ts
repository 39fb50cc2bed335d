/**
 * Lines of one log on their way to the control plane. Offsets count lines; what was sent and not acknowledged stays as it was, so
 * a batch may be sent twice. When nobody takes lines for long, the middle of what waits is dropped, and a line says so.
 */
import type { LogLine } from '../../core/contract/logs.ts';

export interface LogBuffer {
  readonly push: (lines: readonly LogLine[]) => void;
  /** No more lines come. */
  readonly end: () => void;
  /** What is to be sent now, `end` included; null when there is nothing. */
  readonly next: (maxLines: number) => { offset: number; lines: LogLine[]; end: boolean } | null;
  /** The other side has every line before this offset. */
  readonly acknowledge: (nextOffset: number, endWasSent: boolean) => void;
  readonly isDone: () => boolean;
}

export interface BufferOptions {
  /** Lines that wait at most; at least 4. */
  maxLines: number;
  /** Offset of the first line that will be pushed. */
  startOffset: number;
}

export function logBuffer({ maxLines, startOffset }: BufferOptions): LogBuffer {
  let lines: LogLine[] = [];
  let base = startOffset;
  let sent = 0;
  let dropped = 0;
  let state: 'open' | 'ended' | 'done' = 'open';

  const dropMiddle = (): void => {
    const keepFirst = Math.max(sent, Math.floor(maxLines / 2));
    const keepLast = Math.floor(maxLines / 4);
    const last = lines.slice(-keepLast);
    const middle = lines.slice(keepFirst, lines.length - keepLast).filter((line) => !notes.has(line));
    dropped += middle.length;
    const note = { at: last[0]?.at ?? new Date(0).toISOString(), text: noteText(dropped), error: true };
    notes.add(note);
    lines = [...lines.slice(0, keepFirst).filter((line, index) => index < sent || !notes.has(line)), note, ...last];
  };
  const notes = new WeakSet<LogLine>();

  return {
    push: (more) => {
      if (state !== 'open') return;
      lines.push(...more);
      if (lines.length > maxLines && lines.length - sent > 3) dropMiddle();
    },
    end: () => {
      if (state === 'open') state = 'ended';
    },
    next: (count) => {
      const batch = lines.slice(0, count);
      const end = state === 'ended' && batch.length === lines.length;
      if (batch.length === 0 && !end) return null;
      sent = Math.max(sent, batch.length);
      return { offset: base, lines: batch, end };
    },
    acknowledge: (nextOffset, endWasSent) => {
      const taken = Math.min(lines.length, Math.max(0, nextOffset - base));
      lines = lines.slice(taken);
      base += taken;
      sent = Math.max(0, sent - taken);
      if (endWasSent && lines.length === 0 && state === 'ended') state = 'done';
    },
    isDone: () => state === 'done',
  };
}

function noteText(count: number): string {
  return `[landfall: ${count} lines were dropped here because the control plane could not be reached]`;
}
