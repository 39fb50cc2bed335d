/** Sends logs in batches, several streams in one request, and again after a lost answer. */
import type { LogBatch, LogLine, LogsAnswer, LogsRequest } from '../../core/contract/logs.ts';
import { backoffMs } from '../control/backoff.ts';
import { isTransient } from '../control/errors.ts';
import type { Clock } from '../loop/clock.ts';
import { logBuffer, type LogBuffer } from './buffer.ts';

export interface LogStream {
  readonly push: (lines: readonly LogLine[]) => void;
  /** Settles when the control plane has the whole log, or has refused it. */
  readonly end: () => Promise<void>;
}

export interface StreamOptions {
  kind: LogBatch['kind'];
  id: string;
  attempt: number;
  startOffset: number;
  /** The control plane has every line before this offset. */
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

/** Lines that come close together travel together. */
const gatherMs = 50;
const maxLinesWaiting = 5_000;
const maxBatches = 100;
const maxLinesPerBatch = 500;
const backoff = { firstMs: 250, maxMs: 10_000 };

export function logShipper(options: ShipperOptions): LogShipper {
  const streams = new Set<Open>();
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
    const due = [...streams].slice(0, maxBatches).flatMap((open) => batchOf(open));
    if (due.length === 0) return;
    sending = true;
    try {
      const answer = await options.send({ batches: due.map(({ batch }) => batch) });
      failures = 0;
      due.forEach(({ open, batch }, index) => settle(open, batch, answer.accepted[index]));
    } catch (error) {
      failures += 1;
      if (failures === 1)
        options.log(`Logs could not be sent: ${error instanceof Error ? error.message : String(error)}`);
      // A request that is refused as a whole will be refused again.
      if (!isTransient(error)) due.forEach(({ open }) => close(open));
    }
    sending = false;
    if ([...streams].some((open) => open.buffer.next(1) !== null)) {
      arm(failures === 0 ? gatherMs : backoffMs(failures, backoff, options.random()));
    }
  };
  const settle = (open: Open, batch: LogBatch, accepted: LogsAnswer['accepted'][number] | undefined): void => {
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
    open.done();
  };

  return {
    open: (stream) => {
      let done = (): void => undefined;
      const ended = new Promise<void>((resolve) => {
        done = resolve;
      });
      const buffer = logBuffer({ maxLines: maxLinesWaiting, startOffset: stream.startOffset });
      streams.add({ options: stream, buffer, done });
      return {
        push: (lines) => {
          buffer.push(lines);
          arm(gatherMs);
        },
        end: () => {
          buffer.end();
          arm(0);
          return ended;
        },
      };
    },
    stop: () => {
      stopped = true;
      timer?.();
      [...streams].forEach(close);
    },
  };
}

function batchOf(open: Open): { open: Open; batch: LogBatch }[] {
  const next = open.buffer.next(maxLinesPerBatch);
  if (next === null) return [];
  const { kind, id, attempt } = open.options;
  return [{ open, batch: { kind, id, attempt, ...next } }];
}
