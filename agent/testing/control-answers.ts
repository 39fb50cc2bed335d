/** Answers a node as the control plane does: registration, real signatures, expected state, status, logs and work. */
import type { LogsRequest } from '../../core/contract/logs.ts';
import type { RegisterRequest } from '../../core/contract/register.ts';
import type { StatusReport } from '../../core/contract/status.ts';
import type { FinishRequest } from '../../core/contract/work.ts';
import { apiErrors, type ApiErrorCode } from '../../platform/errors/api-codes.ts';
import { splitTarget } from '../../platform/signature/sign.ts';
import { verifySignature } from '../../platform/signature/verify.ts';
import type { ControlState } from './control-state.ts';

export interface Asked {
  method: string;
  /** Path and query. */
  target: string;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

export interface Answer {
  status: number;
  body: unknown;
  etag?: string;
}

export class ControlAnswers {
  readonly #state: ControlState;
  readonly #nonces = new Set<string>();
  /** Lines counted, those that never came included. */
  readonly #logEnds = new Map<string, number>();

  constructor(state: ControlState) {
    this.#state = state;
  }

  async answer(asked: Asked): Promise<Answer> {
    const { path, query } = splitTarget(asked.target);
    for (const [prefix, code] of this.#state.refuse) if (path.startsWith(prefix)) return this.#refusal(code);
    const { method, headers, body } = asked;
    if (path === '/api/v1/agent/register') return this.#registration(JSON.parse(body.toString()) as RegisterRequest);
    const { nodeId } = this.#state;
    const verified = await verifySignature({
      ...{ method, path, query, body, headers, now: new Date() },
      publicKeyFor: (keyId) => (keyId === nodeId ? this.#state.registered.signingKey : null),
    });
    if (!verified.ok) return this.#refusal(`signature_${verified.code}`);
    if (this.#nonces.has(verified.nonce)) return this.#refusal('signature_replayed');
    this.#nonces.add(verified.nonce);
    if (path !== '/api/v1/agent/expected-state') return this.#take(path, JSON.parse(body.toString()));
    const waitMs = Number(new URLSearchParams(query).get('wait') ?? 0) * 1_000;
    return this.#expectedState(headers['if-none-match'], waitMs);
  }

  #take(path: string, body: unknown): Answer {
    if (path === '/api/v1/agent/status') return this.#status(body as StatusReport);
    if (path === '/api/v1/agent/logs') return this.#logs(body as LogsRequest);
    const [, workId = '', verb] = /^\/api\/v1\/agent\/work\/([^/]+)\/(claim|renew|finish)$/.exec(path) ?? [];
    if (verb === 'claim') return this.#claim(workId, body as { attempt: number });
    if (verb === 'renew') return this.#renewal(workId, body as { attempt: number });
    if (verb === 'finish') return this.#finish(workId, body as FinishRequest);
    return this.#refusal('not_found');
  }

  #registration(wanted: RegisterRequest): Answer {
    const { expected, nodeId, registrations, token } = this.#state;
    const [first] = registrations;
    if (wanted.token !== token) return this.#refusal('token_unknown');
    if (first !== undefined && first.signingKey !== wanted.signingKey) return this.#refusal('token_used');
    registrations.push(wanted);
    const ofNetwork = { subnet: 1, containerCidr: expected.network.subnet, wireguardAddress: '10.100.1.1' };
    return { status: 200, body: { nodeId, name: 'node-1', kind: wanted.kind, ...ofNetwork } };
  }

  async #expectedState(etag: unknown, waitMs: number): Promise<Answer> {
    const current = (): string => `"${this.#state.expected.generation}"`;
    const until = Date.now() + waitMs;
    while (etag === current() && Date.now() < until) await this.#state.nextChange(until - Date.now());
    if (etag === current()) return { status: 304, body: null };
    return { status: 200, body: this.#state.expected, etag: current() };
  }

  #status(report: StatusReport): Answer {
    const { expected, reports } = this.#state;
    reports.push(report);
    this.#state.changed();
    const { generation, work } = expected;
    return { status: 200, body: { sequence: report.sequence, generation, work, refused: [] } };
  }

  #logs({ batches }: LogsRequest): Answer {
    const kept = this.#state.logs;
    const accepted = batches.map(({ kind, id, offset, lines }) => {
      const stream = `${kind}:${id}`;
      const end = this.#logEnds.get(stream) ?? 0;
      const nextOffset = Math.max(end, offset + lines.length);
      this.#logEnds.set(stream, nextOffset);
      kept.set(stream, [...(kept.get(stream) ?? []), ...lines.slice(Math.max(0, end - offset))]);
      return { ok: true, nextOffset };
    });
    this.#state.changed();
    return { status: 200, body: { accepted } };
  }

  #claim(workId: string, { attempt }: { attempt: number }): Answer {
    const known = this.#state.orders.get(workId);
    if (known === undefined) return this.#refusal('not_found');
    if (known.attempt !== attempt) return this.#refusal('attempt_stale');
    this.#state.claims.push({ workId, attempt });
    this.#state.changed();
    const { leaseMs } = this.#state;
    return { status: 200, body: { attempt, leaseMs, order: known.order(this.#state.seals()) } };
  }

  #renewal(workId: string, { attempt }: { attempt: number }): Answer {
    const { cancel, leaseMs, orders } = this.#state;
    if (orders.get(workId)?.attempt !== attempt) return this.#refusal('attempt_stale');
    return { status: 200, body: { leaseMs, cancel } };
  }

  #finish(workId: string, { attempt, outcome }: FinishRequest): Answer {
    if (this.#state.orders.get(workId)?.attempt !== attempt) return this.#refusal('attempt_stale');
    this.#state.finish(workId, outcome);
    return { status: 204, body: null };
  }

  #refusal(code: ApiErrorCode): Answer {
    this.#state.refusals.push(code);
    const { message, status } = apiErrors[code];
    return { status, body: { error: { code, message, hint: null } } };
  }
}
