/** Sends logs in batches, several streams in one request, each request of bounded size, and again after a lost answer. */
import type { LogLine, LogsAnswer, LogsRequest } from '../../core/contract/logs.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import { backoffMs } from '../control/backoff.ts';
import { ControlRefused, isTransient } from '../control/errors.ts';
import type { Clock } from '../loop/clock.ts';
import { logBuffer } from './buffer.ts';
import { bytesIn, linesIn, OpenLogs, type Due, type StreamOptions } from './open-logs.ts';

export interface LogStream {
  readonly push: (lines: readonly LogLine[]) => void;
  /** Settles when the control plane has the whole log, or has refused it. */
  readonly end: () => Promise<void>;
  /** It has ended, or the control plane takes no more of it: what is pushed goes nowhere. */
  readonly isClosed: () => boolean;
}

export interface LogShipper {
  readonly open: (options: StreamOptions) => LogStream;
  readonly stop: () => void;
}

export interface ShipperOptions {
  send: (request: LogsRequest) => Promise<LogsAnswer>;
  clock: Clock;
  random: () => number;
  log: (line: string) => void;
}

/** Lines that come close together travel together. */
const gatherMs = 50;
/** Of one log: what a long build prints while the control plane is away for a while. */
const maxBytesWaiting = 8 * 1024 ** 2;
/** Below what proxies take by default (1 MiB), with room for one line more. */
const maxRequestBytes = 512 * 1024;
const backoff = { firstMs: 250, maxMs: 10_000 };
/** This node is refused, whatever it sends: until a person has looked after it. */
const refusedBackoff = { firstMs: 1_000, maxMs: 60_000 };

export function logShipper(options: ShipperOptions): LogShipper {
  const shipper = new Shipper(options);
  return { open: (stream) => shipper.open(stream), stop: () => shipper.stop() };
}

class Shipper {
  readonly #options: ShipperOptions;
  readonly #logs: OpenLogs;
  #requestBytes = maxRequestBytes;
  #cancelTimer: (() => void) | null = null;
  #isSending = false;
  #isStopped = false;
  #failures = 0;

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#logs = new OpenLogs(options.log);
  }

  open(options: StreamOptions): LogStream {
    let done = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      done = resolve;
    });
    const buffer = logBuffer({ maxBytes: maxBytesWaiting, startOffset: options.startOffset });
    const open = { options, buffer, done };
    this.#logs.add(open);
    return {
      push: (lines) => {
        if (!this.#logs.has(open)) return;
        buffer.push(lines);
        this.#arm(gatherMs);
      },
      end: () => {
        buffer.end();
        this.#arm(0);
        return ended;
      },
      isClosed: () => !this.#logs.has(open),
    };
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer?.();
    this.#logs.closeAll();
  }

  #arm(milliseconds: number): void {
    if (this.#cancelTimer !== null || this.#isSending || this.#isStopped) return;
    this.#cancelTimer = this.#options.clock.after(milliseconds, () => {
      this.#cancelTimer = null;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const due = this.#logs.nextRequest(this.#requestBytes);
    if (due.length === 0) return;
    this.#isSending = true;
    const pauseMs = await this.#send(due);
    this.#isSending = false;
    if (this.#logs.isAnythingDue()) this.#arm(pauseMs);
  }

  /** Gives the pause before the next request. */
  async #send(due: readonly Due[]): Promise<number> {
    try {
      const answer = await this.#options.send({ batches: due.map(({ batch }) => batch) });
      this.#failures = 0;
      this.#requestBytes = Math.min(maxRequestBytes, this.#requestBytes * 2);
      due.forEach((one, index) => this.#logs.settle(one, answer.accepted[index]));
      return gatherMs;
    } catch (error) {
      return this.#afterFailure(error, due);
    }
  }

  #afterFailure(error: unknown, due: readonly Due[]): number {
    switch (faultOf(error)) {
      case 'size':
        if (linesIn(due) > 1) this.#requestBytes = Math.min(this.#requestBytes, bytesIn(due)) / 2;
        else this.#logs.findFault(due, error);
        return gatherMs;
      case 'content':
        this.#logs.findFault(due, error);
        return gatherMs;
      case 'node':
        return this.#retryLater(error, refusedBackoff);
      case 'none':
        return this.#retryLater(error, backoff);
    }
  }

  #retryLater(error: unknown, pace: typeof backoff): number {
    this.#failures += 1;
    if (this.#failures === 1) this.#options.log(`Logs could not be sent: ${messageOf(error)}`);
    return backoffMs(this.#failures, pace, this.#options.random());
  }
}

/** What a failed request was refused for: its size, what it says, who says it; or nothing, and it may be taken the next time. */
function faultOf(error: unknown): 'size' | 'content' | 'node' | 'none' {
  if (!(error instanceof ControlRefused) || isTransient(error)) return 'none';
  if (error.status === 413) return 'size';
  return error.status === 401 || error.status === 403 ? 'node' : 'content';
}
