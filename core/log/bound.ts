/**
 * Bounds what a log costs while it goes on: its beginning passes line by line; past that, of each pace only the last lines pass, and a
 * note stands where others are left out. A reader stays with the log, and has its end.
 */
import type { LogLine } from '../contract/logs.ts';

export type BoundedLog = {
  /** The lines to pass on now. */
  push(line: LogLine): LogLine[];
  /** What was held since the last time, with a note on what was left out before it. To be called once a pace, and at the end. */
  flush(): LogLine[];
  /** Lines are held that only `flush` passes on. */
  isHolding(): boolean;
};

export type LogBounds = {
  /** Of UTF-8 text, line ends included, that pass at once. */
  headBytes: number;
  /** That pass at each flush. The last line passes whatever its size is. */
  paceBytes: number;
};

/** What the contract takes in one line. */
const maxLineLength = 16_384;

/** Half of what is kept is the beginning, and keeps its place; a build that says little never meets its pace. */
export function boundsOf({ maxBytes }: { maxBytes: number }): LogBounds {
  return { headBytes: Math.floor(maxBytes / 2), paceBytes: Math.floor(maxBytes / 500) };
}

/** Lines longer than what the contract takes are clipped. */
export function boundLog({ headBytes, paceBytes }: LogBounds): BoundedLog {
  const held: LogLine[] = [];
  let headLeft = headBytes;
  let heldBytes = 0;
  let dropped = 0;
  let droppedBytes = 0;
  const dropFirst = () => {
    const line = held.shift();
    if (!line) return;
    heldBytes -= bytesOf(line);
    dropped += 1;
    droppedBytes += bytesOf(line);
  };
  return {
    push(given) {
      const line = clipped(given);
      const bytes = bytesOf(line);
      if (bytes <= headLeft) {
        headLeft -= bytes;
        return [line];
      }
      headLeft = 0;
      held.push(line);
      heldBytes += bytes;
      while (heldBytes > paceBytes && held.length > 1) dropFirst();
      return [];
    },
    flush() {
      const rest = held.splice(0);
      const at = rest[0]?.at;
      const note = `… ${dropped} lines (${droppedBytes} bytes) are left out here: this log is long, and they came too fast to keep them all …`;
      const notes = dropped === 0 || at === undefined ? [] : [{ at, text: note, error: false }];
      heldBytes = 0;
      dropped = 0;
      droppedBytes = 0;
      return [...notes, ...rest];
    },
    isHolding: () => held.length > 0,
  };
}

function bytesOf({ text }: LogLine): number {
  return Buffer.byteLength(text) + 1;
}

function clipped(line: LogLine): LogLine {
  if (line.text.length <= maxLineLength) return line;
  return { ...line, text: `${line.text.slice(0, maxLineLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…` };
}
