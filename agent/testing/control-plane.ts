/** A small control plane for tests: the agent's contract over HTTP, real signatures, everything it heard kept as data. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Static } from 'typebox';
import type { ExpectedContainer, ExpectedState, RegistryAccess } from '../../core/contract/expected-state.ts';
import type { LogLine, LogsRequest } from '../../core/contract/logs.ts';
import type { RegisterRequest } from '../../core/contract/register.ts';
import type { ObservedContainer, StatusReport } from '../../core/contract/status.ts';
import type { BuildOutcome, ClaimAnswer, FinishRequest, WorkOffer } from '../../core/contract/work.ts';
import { seal } from '../../platform/crypto/sealing.ts';
import { registryContext, secretsContext, sourceTokenContext } from '../../core/contract/sealing.ts';
import { apiErrors, type ApiErrorCode } from '../../platform/errors/api-codes.ts';
import { splitTarget } from '../../platform/signature/sign.ts';
import { verifySignature } from '../../platform/signature/verify.ts';

type BuildOrder = Static<typeof ClaimAnswer>['order'];

export interface TestControlPlane {
  readonly url: string;
  readonly token: string;
  readonly nodeId: string;
  /** Everything below may be changed by a test while it runs. */
  readonly reports: StatusReport[];
  readonly registrations: RegisterRequest[];
  readonly refusals: ApiErrorCode[];
  readonly outcomes: Map<string, BuildOutcome>;
  readonly claims: { workId: string; attempt: number }[];
  /** By `kind:id`. */
  readonly logs: Map<string, LogLine[]>;
  /** Answer every request under this path with this code. */
  readonly refuse: Map<string, ApiErrorCode>;
  leaseMs: number;
  /** Set when claimed work is to stop: told at its renewal. */
  cancel: string | null;
  readonly expect: (change: Partial<Omit<ExpectedState, 'nodeId' | 'generation'>>) => number;
  readonly offerBuild: (offer: WorkOffer, order: (seals: Seals) => BuildOrder) => void;
  readonly seals: () => Seals;
  /** Resolves with the newest report once it fits. */
  readonly reported: (fits: (report: StatusReport) => boolean, withinMs?: number) => Promise<StatusReport>;
  readonly outcome: (workId: string, withinMs?: number) => Promise<BuildOutcome>;
  readonly stop: () => Promise<void>;
  /** Answers nothing until it is started again, on the same port. */
  readonly goAway: () => Promise<void>;
  readonly comeBack: () => Promise<void>;
}

/** Seals to the node that registered. */
export interface Seals {
  /** Of a registry on this machine, with what to pull and push as. */
  registry: (host: string, credentials: { username: string; password: string }) => RegistryAccess;
  secrets: (serviceId: string, values: Record<string, string>) => string;
  sourceToken: (claim: { workItemId: string; attempt: number }, token: string) => string;
}

export interface ControlPlaneOptions {
  subnet: string;
  gateway: string;
}

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

export async function startControlPlane(options: ControlPlaneOptions): Promise<TestControlPlane> {
  const token = 'lfr_test-token-that-is-long-enough';
  const nodeId = '01900000-0000-7000-8000-000000000001';
  const orders = new Map<string, { attempt: number; order: (seals: Seals) => BuildOrder }>();
  const nonces = new Set<string>();
  const listeners = new Set<() => void>();
  let state: ExpectedState = {
    nodeId,
    generation: 1,
    network: { name: 'landfall', subnet: options.subnet, gateway: options.gateway },
    ...{ registries: [], containers: [], work: [], problems: [] },
  };
  const changed = (): void => {
    for (const listener of [...listeners]) listener();
  };
  const registered = (): RegisterRequest => {
    const last = plane.registrations.at(-1);
    if (last === undefined) throw new Error('No agent has registered.');
    return last;
  };

  const plane = {
    token,
    nodeId,
    reports: [] as StatusReport[],
    registrations: [] as RegisterRequest[],
    refusals: [] as ApiErrorCode[],
    outcomes: new Map<string, BuildOutcome>(),
    claims: [] as { workId: string; attempt: number }[],
    logs: new Map<string, LogLine[]>(),
    refuse: new Map<string, ApiErrorCode>(),
    leaseMs: 3_000,
    cancel: null as string | null,
    expect: (change: Partial<ExpectedState>) => {
      state = { ...state, ...change, generation: state.generation + 1 };
      changed();
      return state.generation;
    },
    seals: (): Seals => {
      const { sealingKey } = registered();
      return {
        registry: (host, value) => {
          const sealedCredentials = seal(sealingKey, bytes(JSON.stringify(value)), registryContext(host));
          return { host, insecure: true, sealedCredentials };
        },
        secrets: (serviceId, values) => seal(sealingKey, bytes(JSON.stringify(values)), secretsContext(serviceId)),
        sourceToken: (claim, value) => seal(sealingKey, bytes(value), sourceTokenContext(claim)),
      };
    },
    offerBuild: (offer: WorkOffer, order: (seals: Seals) => BuildOrder) => {
      orders.set(offer.workId, { attempt: offer.attempt, order });
      plane.expect({ work: [...state.work.filter(({ workId }) => workId !== offer.workId), offer] });
    },
    reported: (fits: (report: StatusReport) => boolean, withinMs = 20_000) =>
      until(withinMs, () => {
        const last = plane.reports.at(-1);
        return last !== undefined && fits(last) ? last : null;
      }),
    outcome: (workId: string, withinMs = 60_000) => until(withinMs, () => plane.outcomes.get(workId) ?? null),
  };

  const until = async <T>(withinMs: number, look: () => T | null): Promise<T> => {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const found = look();
      if (found !== null) return found;
      const left = deadline - Date.now();
      if (left <= 0)
        throw new Error(`Not within ${withinMs} ms. Last report: ${JSON.stringify(plane.reports.at(-1), null, 1)}`);
      await nextChange(left);
    }
  };
  const nextChange = (atMostMs: number): Promise<void> =>
    new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        listeners.delete(finish);
        resolve();
      };
      const timer = setTimeout(finish, atMostMs);
      listeners.add(finish);
    });

  const answer = async (request: IncomingMessage, body: Buffer): Promise<Answer> => {
    const { path, query } = splitTarget(request.url ?? '');
    for (const [prefix, code] of plane.refuse) if (path.startsWith(prefix)) return refusal(code);
    if (path === '/api/v1/agent/register') return registration(JSON.parse(body.toString()) as RegisterRequest);
    const method = request.method ?? '';
    const verified = await verifySignature({
      ...{ method, path, query, body, headers: request.headers, now: new Date() },
      publicKeyFor: (keyId) => (keyId === nodeId ? registered().signingKey : null),
    });
    if (!verified.ok) return refusal(`signature_${verified.code}`);
    if (nonces.has(verified.nonce)) return refusal('signature_replayed');
    nonces.add(verified.nonce);
    return await route({
      method,
      path,
      query: new URLSearchParams(query),
      body,
      etag: request.headers['if-none-match'] ?? null,
    });
  };
  const registration = (wanted: RegisterRequest): Answer => {
    const [first] = plane.registrations;
    if (wanted.token !== token) return refusal('token_unknown');
    if (first !== undefined && first.signingKey !== wanted.signingKey) return refusal('token_used');
    plane.registrations.push(wanted);
    const { subnet } = options;
    const node = {
      nodeId,
      name: 'node-1',
      kind: wanted.kind,
      subnet: 1,
      containerCidr: subnet,
      wireguardAddress: '10.100.1.1',
    };
    return { status: 200, body: node };
  };
  const route = async (request: Routed): Promise<Answer> => {
    const { path } = request;
    if (path === '/api/v1/agent/expected-state') return await expectedState(request);
    const body: unknown = JSON.parse(request.body.toString());
    if (path === '/api/v1/agent/status') return status(body as StatusReport);
    if (path === '/api/v1/agent/logs') return logs(body as LogsRequest);
    const [, workId = '', verb] = /^\/api\/v1\/agent\/work\/([^/]+)\/(claim|renew|finish)$/.exec(path) ?? [];
    if (verb === 'claim') return claim(workId, body as { attempt: number });
    if (verb === 'renew') return renewal(workId, body as { attempt: number });
    if (verb === 'finish') return finish(workId, body as FinishRequest);
    return refusal('not_found');
  };
  const expectedState = async ({ etag, query }: Routed): Promise<Answer> => {
    const current = (): string => `"${state.generation}"`;
    const until = Date.now() + Number(query.get('wait') ?? 0) * 1_000;
    while (etag === current() && Date.now() < until) await nextChange(until - Date.now());
    return etag === current() ? { status: 304, body: null } : { status: 200, body: state, etag: current() };
  };
  const status = (report: StatusReport): Answer => {
    plane.reports.push(report);
    changed();
    return {
      status: 200,
      body: { sequence: report.sequence, generation: state.generation, work: state.work, refused: [] },
    };
  };
  /** Lines counted, those that never came included. */
  const logEnds = new Map<string, number>();
  const logs = ({ batches }: LogsRequest): Answer => {
    const accepted = batches.map(({ kind, id, offset, lines }) => {
      const stream = `${kind}:${id}`;
      const end = logEnds.get(stream) ?? 0;
      const nextOffset = Math.max(end, offset + lines.length);
      logEnds.set(stream, nextOffset);
      plane.logs.set(stream, [...(plane.logs.get(stream) ?? []), ...lines.slice(Math.max(0, end - offset))]);
      return { ok: true, nextOffset };
    });
    changed();
    return { status: 200, body: { accepted } };
  };
  const claim = (workId: string, { attempt }: { attempt: number }): Answer => {
    const known = orders.get(workId);
    if (known === undefined) return refusal('not_found');
    if (known.attempt !== attempt) return refusal('attempt_stale');
    plane.claims.push({ workId, attempt });
    changed();
    return { status: 200, body: { attempt, leaseMs: plane.leaseMs, order: known.order(plane.seals()) } };
  };
  const renewal = (workId: string, { attempt }: { attempt: number }): Answer =>
    orders.get(workId)?.attempt === attempt
      ? { status: 200, body: { leaseMs: plane.leaseMs, cancel: plane.cancel } }
      : refusal('attempt_stale');
  const finish = (workId: string, { attempt, outcome }: FinishRequest): Answer => {
    if (orders.get(workId)?.attempt !== attempt) return refusal('attempt_stale');
    plane.outcomes.set(workId, outcome);
    state = { ...state, work: state.work.filter((one) => one.workId !== workId) };
    changed();
    return { status: 204, body: null };
  };
  const refusal = (code: ApiErrorCode): Answer => {
    plane.refusals.push(code);
    return { status: apiErrors[code].status, body: { error: { code, message: apiErrors[code].message, hint: null } } };
  };

  const listen = async (port: number): Promise<Listening> => {
    const server = createServer((request, response) => void serve(request, response));
    const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const { status: code, body, etag } = await answer(request, await buffer(request));
      response.writeHead(code, { 'content-type': 'application/json', ...(etag === undefined ? {} : { etag }) });
      response.end(body === null ? undefined : JSON.stringify(body));
    };
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The server has no port.');
    const close = async (): Promise<void> => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    };
    return { port: address.port, close };
  };
  let listening = await listen(0);
  return Object.assign(plane, {
    url: `http://127.0.0.1:${listening.port}`,
    stop: () => listening.close(),
    goAway: () => listening.close(),
    comeBack: async () => {
      listening = await listen(listening.port);
    },
  });
}

interface Listening {
  port: number;
  close: () => Promise<void>;
}

interface Routed {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Buffer;
  etag: string | null;
}

interface Answer {
  status: number;
  body: unknown;
  etag?: string;
}

export function containerOf(report: StatusReport, allocationId: string): ObservedContainer | undefined {
  return report.containers.find((one) => one.allocationId === allocationId);
}

/** A container that serves HTTP with busybox; change what a test is about. */
export function expectedContainer(
  change: Partial<ExpectedContainer> & Pick<ExpectedContainer, 'image' | 'ip'>,
): ExpectedContainer {
  return {
    allocationId: '01900000-0000-7000-8000-00000000a001',
    serviceId: '01900000-0000-7000-8000-00000000b001',
    serviceName: 'web',
    environment: 'production',
    releaseId: '01900000-0000-7000-8000-00000000c001',
    generation: 1,
    specDigest: `sha256:${'0'.repeat(64)}`,
    command: [
      '/bin/sh',
      '-c',
      'echo serving; mkdir -p /www; echo hello > /www/index.html; exec /bin/sh -c "exec httpd -f -p 8080 -h /www"',
    ],
    env: {},
    sealedSecrets: null,
    port: 8080,
    resources: { cpuMillis: 500, memoryBytes: 64 * 1024 ** 2, pids: 64 },
    health: {
      kind: 'http',
      path: '/',
      intervalMs: 200,
      timeoutMs: 1_000,
      graceMs: 5_000,
      healthyAfter: 1,
      unhealthyAfter: 3,
    },
    stopGraceMs: 1_000,
    leasedUntil: null,
    ...change,
  };
}
