/** Passes the lines of a build's log on: bounded, at a pace, the last ones kept at hand. */
import type { LogLine } from '../../core/contract/logs.ts';
import { boundLog, boundsOf, type BoundedLog } from '../../core/log/bound.ts';
import type { Clock } from '../loop/clock.ts';
import type { LogStream } from '../logs/shipper.ts';

export interface LogWriterOptions {
  stream: Pick<LogStream, 'push' | 'end'>;
  maxBytes: number;
  clock: Clock;
}

export interface LineFacts {
  at: Date;
  error: boolean;
}

const tailLines = 50;
/** Of a line of the tail, which travels with the outcome; the log itself has more of it. */
const maxTailLine = 2_000;
/** How often what is held of a long log is passed on. */
const paceMs = 1_000;

export class LogWriter {
  readonly #stream: LogWriterOptions['stream'];
  readonly #clock: Clock;
  readonly #bound: BoundedLog;
  #tail: string[] = [];
  #cancelFlush: (() => void) | null = null;

  constructor({ stream, maxBytes, clock }: LogWriterOptions) {
    this.#stream = stream;
    this.#clock = clock;
    this.#bound = boundLog(boundsOf({ maxBytes }));
  }

  write(text: string, { at, error }: LineFacts): void {
    this.#tail = [...this.#tail, text.slice(0, maxTailLine)].slice(-tailLines);
    this.#pass(this.#bound.push({ at: at.toISOString(), text, error }));
    if (this.#bound.isHolding()) this.#cancelFlush ??= this.#clock.after(paceMs, () => this.#flush());
  }

  tail(): string[] {
    return [...this.#tail];
  }

  /** Settles when the control plane has the whole log, or does not take it. */
  end(): Promise<void> {
    this.#flush();
    return this.#stream.end();
  }

  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    this.#pass(this.#bound.flush());
  }

  #pass(lines: readonly LogLine[]): void {
    if (lines.length > 0) this.#stream.push(lines);
  }
}
