/** Sends logs in batches, several streams in one request, each request of bounded size, and again after a lost answer. */
import type { LogBatch, LogLine, LogsAnswer, LogsRequest } from '../../core/contract/logs.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import { backoffMs } from '../control/backoff.ts';
import { ControlRefused, isTransient } from '../control/errors.ts';
import type { Clock } from '../loop/clock.ts';
import { logBuffer, type LogBuffer } from './buffer.ts';

export interface LogStream {
  readonly push: (lines: readonly LogLine[]) => void;
  /** Settles when the control plane has the whole log, or has refused it. */
  readonly end: () => Promise<void>;
  /** It has ended, or the control plane takes no more of it: what is pushed goes nowhere. */
  readonly isClosed: () => boolean;
}

export interface StreamOptions {
  kind: LogBatch['kind'];
  id: string;
  attempt: number;
  startOffset: number;
  /** The control plane has every line before this offset, or will never take it. */
  onAcknowledged?: (nextOffset: number) => void;
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

interface Open {
  options: StreamOptions;
  buffer: LogBuffer;
  done: () => void;
}

interface Due {
  open: Open;
  batch: LogBatch;
}

/** Lines that come close together travel together. */
const gatherMs = 50;
/** Of one log: what a long build prints while the control plane is away for a while. */
const maxBytesWaiting = 8 * 1024 ** 2;
const maxBatches = 100;
const maxLinesPerBatch = 500;
/** Below what proxies take by default (1 MiB), with room for one line more. */
const maxRequestBytes = 512 * 1024;
const backoff = { firstMs: 250, maxMs: 10_000 };
/** This node is refused, whatever it sends: until a person has looked after it. */
const refusedBackoff = { firstMs: 1_000, maxMs: 60_000 };

export function logShipper(options: ShipperOptions): LogShipper {
  /** In the order in which they are served next. */
  const streams = new Set<Open>();
  /** Were in a request that was refused as a whole: each is sent alone until it is known which one is at fault. */
  const suspects = new Set<Open>();
  let requestBytes = maxRequestBytes;
  let timer: (() => void) | null = null;
  let sending = false;
  let stopped = false;
  let failures = 0;

  const arm = (milliseconds: number): void => {
    if (timer !== null || sending || stopped) return;
    timer = options.clock.after(milliseconds, () => {
      timer = null;
      void flush();
    });
  };
  const flush = async (): Promise<void> => {
    const due = nextRequest();
    if (due.length === 0) return;
    sending = true;
    const pauseMs = await send(due);
    sending = false;
    if ([...streams].some((open) => open.buffer.next({ lines: 1, bytes: 0 }) !== null)) arm(pauseMs);
  };
  const nextRequest = (): Due[] => {
    const due: Due[] = [];
    let left = requestBytes;
    for (const open of suspects.size > 0 ? suspects : streams) {
      const batch = open.buffer.next({ lines: maxLinesPerBatch, bytes: left });
      if (batch === null) {
        suspects.delete(open);
        continue;
      }
      const { bytes, ...lines } = batch;
      const { kind, id, attempt } = open.options;
      due.push({ open, batch: { kind, id, attempt, ...lines } });
      left -= bytes;
      if (left <= 0 || due.length === maxBatches || suspects.size > 0) break;
    }
    // Who has had a turn waits behind those who have not.
    for (const { open } of due) if (streams.delete(open)) streams.add(open);
    return due;
  };
  /** Gives the pause before the next request. */
  const send = async (due: readonly Due[]): Promise<number> => {
    try {
      const answer = await options.send({ batches: due.map(({ batch }) => batch) });
      failures = 0;
      requestBytes = Math.min(maxRequestBytes, requestBytes * 2);
      due.forEach(({ open, batch }, index) => settle(open, batch, answer.accepted[index]));
      return gatherMs;
    } catch (error) {
      return afterFailure(error, due);
    }
  };
  const afterFailure = (error: unknown, due: readonly Due[]): number => {
    const lines = due.reduce((count, { batch }) => count + batch.lines.length, 0);
    switch (faultOf(error)) {
      case 'size':
        if (lines > 1) requestBytes = Math.min(requestBytes, bytesOf(due)) / 2;
        else findFault(due, error);
        return gatherMs;
      case 'content':
        findFault(due, error);
        return gatherMs;
      case 'node':
        return retryLater(error, refusedBackoff);
      case 'none':
        return retryLater(error, backoff);
    }
  };
  const retryLater = (error: unknown, pace: typeof backoff): number => {
    failures += 1;
    if (failures === 1) options.log(`Logs could not be sent: ${messageOf(error)}`);
    return backoffMs(failures, pace, options.random());
  };
  const findFault = (due: readonly Due[], error: unknown): void => {
    const [only, ...others] = due;
    if (only !== undefined && others.length === 0) leaveOut(only, error);
    else for (const { open } of due) suspects.add(open);
  };
  /** These lines are given up, so that what follows them is sent. */
  const leaveOut = ({ open, batch }: Due, error: unknown): void => {
    suspects.delete(open);
    const { kind, id, offset } = batch;
    const next = open.buffer.skip(batch.lines.length);
    options.log(`Of the log of ${kind} ${id}, line ${offset} to before line ${next} is left out: ${messageOf(error)}`);
    if (batch.lines.length === 0) close(open);
    else open.options.onAcknowledged?.(next);
  };
  const settle = (open: Open, batch: LogBatch, accepted: LogsAnswer['accepted'][number] | undefined): void => {
    suspects.delete(open);
    if (accepted === undefined) return;
    if (!accepted.ok) {
      options.log(`The log of ${batch.kind} ${batch.id} is not taken any more: ${accepted.code}`);
      close(open);
      return;
    }
    open.buffer.acknowledge(accepted.nextOffset, batch.end);
    open.options.onAcknowledged?.(accepted.nextOffset);
    if (open.buffer.isDone()) close(open);
  };
  const close = (open: Open): void => {
    streams.delete(open);
    suspects.delete(open);
    open.done();
  };

  return {
    open: (stream) => {
      let done = (): void => undefined;
      const ended = new Promise<void>((resolve) => {
        done = resolve;
      });
      const buffer = logBuffer({ maxBytes: maxBytesWaiting, startOffset: stream.startOffset });
      const open = { options: stream, buffer, done };
      streams.add(open);
      return {
        push: (lines) => {
          if (!streams.has(open)) return;
          buffer.push(lines);
          arm(gatherMs);
        },
        end: () => {
          buffer.end();
          arm(0);
          return ended;
        },
        isClosed: () => !streams.has(open),
      };
    },
    stop: () => {
      stopped = true;
      timer?.();
      [...streams].forEach(close);
    },
  };
}

/** What a failed request was refused for: its size, what it says, who says it; or nothing, and it may be taken the next time. */
function faultOf(error: unknown): 'size' | 'content' | 'node' | 'none' {
  if (!(error instanceof ControlRefused) || isTransient(error)) return 'none';
  if (error.status === 413) return 'size';
  return error.status === 401 || error.status === 403 ? 'node' : 'content';
}

function bytesOf(due: readonly Due[]): number {
  return Buffer.byteLength(JSON.stringify(due.map(({ batch }) => batch.lines)));
}
