/** The lines of one log that were read and are not taken yet, and up to where in its files everything is taken. */
import type { LogLine } from '../../core/contract/logs.ts';
import type { Cursor } from './cursors.ts';
import type { LogShipper, LogStream } from './shipper.ts';

interface Waiting {
  /** Of the line after these. */
  nextOffset: number;
  cursor: Cursor;
  lines: number;
  bytes: number;
}

/** Well below what the shipper holds of a stream: it never drops what the file still has. */
const maxWaiting = { lines: 4_000, bytes: 1024 ** 2 };

export class WaitingLines {
  readonly #stream: LogStream;
  #waiting: Waiting[] = [];
  #taken: Cursor;
  #read: Cursor;
  #nextOffset: number;

  constructor(shipper: Pick<LogShipper, 'open'>, allocationId: string, cursor: Cursor) {
    this.#taken = cursor;
    this.#read = cursor;
    this.#nextOffset = cursor.nextOffset;
    this.#stream = shipper.open({
      ...{ kind: 'allocation', id: allocationId, attempt: 0, startOffset: cursor.nextOffset },
      onAcknowledged: (next) => {
        this.#taken = this.#waiting.findLast((one) => one.nextOffset <= next)?.cursor ?? this.#taken;
        this.#waiting = this.#waiting.filter((one) => one.nextOffset > next);
      },
    });
  }

  /** Of the next line that is pushed. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  get taken(): Cursor {
    return this.#taken;
  }

  /** Where to go on after all lines that were pushed, taken or not. */
  get read(): Cursor {
    return this.#read;
  }

  get bytes(): number {
    return this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get isFull(): boolean {
    return (
      this.bytes >= maxWaiting.bytes || this.#waiting.reduce((sum, { lines }) => sum + lines, 0) >= maxWaiting.lines
    );
  }

  /** The control plane takes no more of this log. */
  get isClosed(): boolean {
    return this.#stream.isClosed();
  }

  /** @param cursor Where to go on when these lines are taken. */
  push(lines: readonly LogLine[], cursor: Cursor): void {
    if (lines.length === 0) return;
    this.#nextOffset += lines.length;
    this.#read = cursor;
    const bytes = lines.reduce((sum, { text }) => sum + text.length, 0);
    this.#waiting.push({ nextOffset: this.#nextOffset, cursor, lines: lines.length, bytes });
    this.#stream.push(lines);
  }

  end(): Promise<void> {
    return this.#stream.end();
  }
}
