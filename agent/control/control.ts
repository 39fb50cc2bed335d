/** The calls of the agent's contract: `/api/v1/agent/*`, one function each. */
import type { Static } from 'typebox';
import { ExpectedState } from '../../core/contract/expected-state.ts';
import { LogsAnswer, type LogsRequest } from '../../core/contract/logs.ts';
import { RegisterAnswer, type RegisterRequest } from '../../core/contract/register.ts';
import { StatusAnswer, type StatusReport } from '../../core/contract/status.ts';
import { ClaimAnswer, RenewAnswer, type FinishRequest } from '../../core/contract/work.ts';
import { answerParser, type Transport } from './transport.ts';

export type Claim = Static<typeof ClaimAnswer>;
export type Renewal = Static<typeof RenewAnswer>;

export type ExpectedAnswer = { changed: false } | { changed: true; state: ExpectedState; etag: string | null };

const parseExpected = answerParser('expected state', ExpectedState);
const parseStatus = answerParser('a status report', StatusAnswer);
const parseClaim = answerParser('a claim of work', ClaimAnswer);
const parseRenewal = answerParser('a renewal', RenewAnswer);
const parseLogs = answerParser('logs', LogsAnswer);
const parseRegistration = answerParser('a registration', RegisterAnswer);

const root = '/api/v1/agent';
const deadlineMs = 15_000;

export type Control = ReturnType<typeof control>;

export function control(transport: Transport) {
  const work = (workId: string, verb: string): string => `${root}/work/${encodeURIComponent(workId)}/${verb}`;
  const post = (path: string, body: unknown, signal?: AbortSignal) =>
    transport.call({ method: 'POST', path, body, deadlineMs, signal });
  return {
    register: async (request: RegisterRequest): Promise<RegisterAnswer> =>
      parseRegistration((await post(`${root}/register`, request)).body),

    /** Waits up to `waitMs` on the other side for something newer than `etag`. */
    expectedState: async (options: {
      etag: string | null;
      waitMs: number;
      signal: AbortSignal;
    }): Promise<ExpectedAnswer> => {
      const answer = await transport.call({
        method: 'GET',
        path: `${root}/expected-state?wait=${Math.round(options.waitMs / 1_000)}`,
        headers: options.etag === null ? {} : { 'if-none-match': options.etag },
        deadlineMs: options.waitMs + deadlineMs,
        signal: options.signal,
      });
      if (answer.status === 304) return { changed: false };
      return { changed: true, state: parseExpected(answer.body), etag: answer.etag };
    },

    status: async (report: StatusReport): Promise<StatusAnswer> =>
      parseStatus((await post(`${root}/status`, report)).body),

    claim: async (workId: string, attempt: number): Promise<Claim> =>
      parseClaim(
        (await transport.call({ method: 'POST', path: work(workId, 'claim'), body: { attempt }, deadlineMs: 30_000 }))
          .body,
      ),

    renew: async (workId: string, attempt: number): Promise<Renewal> =>
      parseRenewal((await post(work(workId, 'renew'), { attempt })).body),

    finish: async (workId: string, request: FinishRequest): Promise<void> => {
      await post(work(workId, 'finish'), request);
    },

    logs: async (request: LogsRequest): Promise<LogsAnswer> => parseLogs((await post(`${root}/logs`, request)).body),
  };
}
