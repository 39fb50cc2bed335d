/** Bounds a log: its beginning passes at once, its end is kept, and what is beyond is dropped from the middle, and said. */
import type { LogLine } from '../contract/logs.ts';

export type BoundedLog = {
  /** The lines to pass on now. */
  push(line: LogLine): LogLine[];
  /** The note on what was dropped, if anything was, and the last lines. */
  end(): LogLine[];
};

/** What the contract takes in one line. */
const maxLineLength = 16_384;
const noteBytes = 120;

/** `maxBytes` of UTF-8 text, line ends included; longer lines are clipped to what the contract takes. */
export function boundLog({ maxBytes }: { maxBytes: number }): BoundedLog {
  const half = Math.max(0, Math.floor((maxBytes - noteBytes) / 2));
  const tail: LogLine[] = [];
  let headLeft = half;
  let tailBytes = 0;
  let dropped = 0;
  let droppedBytes = 0;
  const dropFirst = () => {
    const line = tail.shift();
    if (!line) return;
    tailBytes -= bytesOf(line);
    dropped += 1;
    droppedBytes += bytesOf(line);
  };
  return {
    push(given) {
      const line = clipped(given);
      const bytes = bytesOf(line);
      if (tail.length === 0 && dropped === 0 && bytes <= headLeft) {
        headLeft -= bytes;
        return [line];
      }
      headLeft = 0;
      tail.push(line);
      tailBytes += bytes;
      while (tailBytes > half) dropFirst();
      return [];
    },
    end() {
      const rest = tail.splice(0);
      const at = rest[0]?.at;
      if (dropped === 0 || at === undefined) return rest;
      const text = `… ${dropped} lines (${droppedBytes} bytes) are left out here: the log is longer than ${maxBytes} bytes …`;
      return [{ at, text, error: false }, ...rest];
    },
  };
}

function bytesOf({ text }: LogLine): number {
  return Buffer.byteLength(text) + 1;
}

function clipped(line: LogLine): LogLine {
  if (line.text.length <= maxLineLength) return line;
  return { ...line, text: `${line.text.slice(0, maxLineLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…` };
}
