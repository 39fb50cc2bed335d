/** The logs that are being sent: whose turn it is, what goes into the next request, and what its answer says of each. */
import type { LogBatch, LogsAnswer } from '../../core/contract/logs.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import type { LogBuffer } from './buffer.ts';

export interface StreamOptions {
  kind: LogBatch['kind'];
  id: string;
  attempt: number;
  startOffset: number;
  /** The control plane has every line before this offset, or will never take it. */
  onAcknowledged?: (nextOffset: number) => void;
}

export interface OpenLog {
  options: StreamOptions;
  buffer: LogBuffer;
  done: () => void;
}

export interface Due {
  open: OpenLog;
  batch: LogBatch;
}

const maxBatches = 100;
const maxLinesPerBatch = 500;

export class OpenLogs {
  /** In the order in which they are served next. */
  readonly #open = new Set<OpenLog>();
  /** Were in a request that was refused as a whole: each is sent alone until it is known which one is at fault. */
  readonly #suspects = new Set<OpenLog>();
  readonly #log: (line: string) => void;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  add(open: OpenLog): void {
    this.#open.add(open);
  }

  has(open: OpenLog): boolean {
    return this.#open.has(open);
  }

  isAnythingDue(): boolean {
    return [...this.#open].some((open) => open.buffer.next({ lines: 1, bytes: 0 }) !== null);
  }

  nextRequest(maxBytes: number): Due[] {
    const due: Due[] = [];
    let left = maxBytes;
    for (const open of this.#suspects.size > 0 ? this.#suspects : this.#open) {
      const batch = open.buffer.next({ lines: maxLinesPerBatch, bytes: left });
      if (batch === null) {
        this.#suspects.delete(open);
        continue;
      }
      const { bytes, ...lines } = batch;
      const { kind, id, attempt } = open.options;
      due.push({ open, batch: { kind, id, attempt, ...lines } });
      left -= bytes;
      if (left <= 0 || due.length === maxBatches || this.#suspects.size > 0) break;
    }
    // Who has had a turn waits behind those who have not.
    for (const { open } of due) if (this.#open.delete(open)) this.#open.add(open);
    return due;
  }

  settle({ open, batch }: Due, accepted: LogsAnswer['accepted'][number] | undefined): void {
    this.#suspects.delete(open);
    if (accepted === undefined) return;
    if (!accepted.ok) {
      this.#log(`The log of ${batch.kind} ${batch.id} is not taken any more: ${accepted.code}`);
      this.#close(open);
      return;
    }
    open.buffer.acknowledge(accepted.nextOffset, batch.end);
    open.options.onAcknowledged?.(accepted.nextOffset);
    if (open.buffer.isDone()) this.#close(open);
  }

  /** The request was refused for what it holds: which log that is, or which lines of the one it was. */
  findFault(due: readonly Due[], error: unknown): void {
    const [only, ...others] = due;
    if (only !== undefined && others.length === 0) this.#leaveOut(only, error);
    else for (const { open } of due) this.#suspects.add(open);
  }

  closeAll(): void {
    for (const open of [...this.#open]) this.#close(open);
  }

  /** These lines are given up, so that what follows them is sent. */
  #leaveOut({ open, batch }: Due, error: unknown): void {
    this.#suspects.delete(open);
    const { kind, id, offset } = batch;
    const next = open.buffer.skip(batch.lines.length);
    this.#log(`Of the log of ${kind} ${id}, line ${offset} to before line ${next} is left out: ${messageOf(error)}`);
    if (batch.lines.length === 0) this.#close(open);
    else open.options.onAcknowledged?.(next);
  }

  #close(open: OpenLog): void {
    this.#open.delete(open);
    this.#suspects.delete(open);
    open.done();
  }
}

export function linesIn(due: readonly Due[]): number {
  return due.reduce((count, { batch }) => count + batch.lines.length, 0);
}

/** As they travel. */
export function bytesIn(due: readonly Due[]): number {
  return Buffer.byteLength(JSON.stringify(due.map(({ batch }) => batch.lines)));
}
