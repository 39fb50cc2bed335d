/** Sends status reports one after another, the newest only: what was overtaken while one was under way is never sent. */
import type { StatusAnswer, StatusReport } from '../../core/contract/status.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import type { Clock } from '../loop/clock.ts';
import { backoffMs } from './backoff.ts';
import { isTransient } from './errors.ts';

export type ReportBody = Omit<StatusReport, 'epoch' | 'sequence' | 'agentVersion'>;

export interface ReporterOptions {
  epoch: string;
  agentVersion: string;
  send: (report: StatusReport) => Promise<StatusAnswer>;
  clock: Clock;
  random: () => number;
  onAnswer: (report: StatusReport, answer: StatusAnswer) => void;
  log: (line: string) => void;
}

export interface Reporter {
  /** @param compose Called when it is this report's turn, so it says what is so then. */
  readonly submit: (compose: () => Promise<ReportBody>) => void;
  /** Settles when nothing is left to send or nothing can be sent now. */
  readonly idle: () => Promise<void>;
  readonly stop: () => void;
}

const backoff = { firstMs: 250, maxMs: 10_000 };

export function reporter(options: ReporterOptions): Reporter {
  let sequence = 0;
  let failures = 0;
  let waiting: (() => Promise<ReportBody>) | null = null;
  let underWay: Promise<void> | null = null;
  let cancelRetry: (() => void) | null = null;
  let stopped = false;

  const sendAll = async (): Promise<void> => {
    for (let compose = waiting; compose !== null && !stopped; compose = waiting) {
      waiting = null;
      try {
        const body = await compose();
        sequence += 1;
        const report = { ...body, epoch: options.epoch, sequence, agentVersion: options.agentVersion };
        options.onAnswer(report, await options.send(report));
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures === 1) options.log(`The status report was not taken: ${messageOf(error)}`);
        if (!isTransient(error)) continue;
        retryLater(compose);
        return;
      }
    }
  };
  const retryLater = (compose: () => Promise<ReportBody>): void => {
    waiting ??= compose;
    cancelRetry = options.clock.after(backoffMs(failures, backoff, options.random()), () => {
      cancelRetry = null;
      start();
    });
  };
  const start = (): void => {
    if (underWay !== null || cancelRetry !== null || stopped || waiting === null) return;
    underWay = sendAll().finally(() => {
      underWay = null;
      start();
    });
  };
  return {
    submit: (compose) => {
      waiting = compose;
      cancelRetry?.();
      cancelRetry = null;
      start();
    },
    idle: () => underWay ?? Promise.resolve(),
    stop: () => {
      stopped = true;
      cancelRetry?.();
    },
  };
}
