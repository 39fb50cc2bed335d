/** Bounds a log: its beginning passes at once, its end is kept, and what is beyond is dropped from the middle, and said. */
import type { LogLine } from '../contract/logs.ts';

export type BoundedLog = {
  /** The lines to pass on now. */
  push(line: LogLine): LogLine[];
  /** The note on what was dropped, if anything was, and the last lines. */
  end(): LogLine[];
};

/** `maxBytes` of UTF-8 text, line ends included; longer lines are clipped to what the contract takes. */
export function boundLog(_limits: { maxBytes: number }): BoundedLog {
  throw new Error('not written yet');
}
