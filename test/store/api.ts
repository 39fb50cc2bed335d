/** The API on a database of its own, with agents that sign, for store tests. */
import { randomBytes } from 'node:crypto';
import Fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify';
import pino from 'pino';
import { startApi, type StartedApi } from '../../api/start.ts';
import type { ApiConfig, ApiDeps } from '../../api/deps.ts';
import { defaultAddressPools } from '../../core/node/addresses.ts';
import { hashToken, newToken } from '../../platform/crypto/hash.ts';
import { generateKeyPair, importPrivateKey, type KeyPair } from '../../platform/crypto/keys.ts';
import { signRequest, splitTarget } from '../../platform/signature/sign.ts';
import { openWake, type Wake } from '../../platform/wake/wake.ts';
import { openDatabase } from '../../prisma/client.ts';
import { createAccessToken } from '../../prisma/store/access-tokens.ts';
import { createRegistrationToken } from '../../prisma/store/registration.ts';
import { useForAll, useOpened } from '../suite.ts';
import { openTestDatabase, type OpenTestDatabase } from './database.ts';

export interface EnqueuedJob {
  name: string;
  payload: unknown;
}

export interface TestApi {
  fastify: FastifyInstance;
  api: StartedApi;
  database: OpenTestDatabase;
  wake: Wake;
  deps: ApiDeps;
  jobs: EnqueuedJob[];
  /** What it wrote into its log, from `info` on. */
  logged: { level: number; msg: string }[];
  /** Topics that somebody waits for now, each subscription once. */
  listening: Map<symbol, string>;
  clock: { now: Date };
  close(): Promise<void>;
}

export const testConfig: ApiConfig = {
  publicUrl: 'http://127.0.0.1:7780',
  github: { url: 'https://github.example.com' },
  registry: {
    host: '127.0.0.1:7782',
    path: 'landfall',
    insecure: true,
    credentials: { username: 'landfall', password: 'registry-password-canary' },
  },
  build: { cpuMillis: 2_000, memoryBytes: 2 * 1024 ** 3, maxLogBytes: 100_000 },
  pools: defaultAddressPools,
};

export interface TestApiOptions {
  config?: Partial<ApiConfig>;
  /** Another API on the same database. */
  beside?: TestApi;
}

export async function openTestApi({ config, beside }: TestApiOptions = {}): Promise<TestApi> {
  const database = beside === undefined ? await openTestDatabase() : openBeside(beside.database);
  const wake = await openWake(database.url);
  const jobs: EnqueuedJob[] = [];
  const logged: TestApi['logged'] = [];
  const listening = new Map<symbol, string>();
  const clock = beside?.clock ?? { now: new Date() };
  const deps: ApiDeps = {
    database,
    wake: {
      ...wake,
      subscribe(topic, listener) {
        const key = Symbol(topic);
        const end = wake.subscribe(topic, listener);
        listening.set(key, topic);
        return () => {
          listening.delete(key);
          end();
        };
      },
    },
    queues: {
      enqueue: (job, payload) => {
        jobs.push({ name: job.name, payload });
        return Promise.resolve();
      },
      ping: () => Promise.resolve(),
    },
    config: { ...testConfig, ...config },
    masterKeys: { keys: [new Uint8Array(32).fill(7)] },
    log: pino({ level: 'info' }, { write: (line) => void logged.push(JSON.parse(line) as (typeof logged)[number]) }),
    now: () => clock.now,
  };
  const api = startApi(deps);
  const fastify = Fastify({ trustProxy: 'loopback' });
  await api.register(fastify);
  await fastify.ready();
  return {
    ...{ fastify, api, database, wake, deps, jobs, logged, listening, clock },
    async close() {
      api.stop();
      await fastify.close();
      await wake.close();
      await database.close();
    },
  };
}

function openBeside({ url }: OpenTestDatabase): OpenTestDatabase {
  return { ...openDatabase(url), url };
}

/** One for all tests of the file. */
export function useTestApi(options?: TestApiOptions): TestApi {
  return useOpened(() => openTestApi(options));
}

export interface TestAgentKeys {
  signing: KeyPair;
  sealing: KeyPair;
  wireguard: string;
}

export function makeKeys(): TestAgentKeys {
  return {
    signing: generateKeyPair('Ed25519'),
    sealing: generateKeyPair('X25519'),
    wireguard: randomBytes(32).toString('base64'),
  };
}

export async function makeToken(api: TestApi, nodeName: string, kind: 'worker' | 'proxy' = 'worker'): Promise<string> {
  const token = newToken('lfr');
  const expiresAt = new Date(api.clock.now.getTime() + 86_400_000);
  await createRegistrationToken(api.database.db, { tokenHash: hashToken(token), nodeName, kind, expiresAt });
  return token;
}

export function register(api: TestApi, token: string, keys: TestAgentKeys): Promise<LightMyRequestResponse> {
  const payload = {
    token,
    kind: 'worker',
    signingKey: keys.signing.publicKey,
    sealingKey: keys.sealing.publicKey,
    wireguardKey: keys.wireguard,
    agentVersion: 'test',
  };
  return api.fastify.inject({ method: 'POST', url: '/api/v1/agent/register', payload });
}

export interface SignOptions {
  body?: unknown;
  headers?: Record<string, string>;
  now?: Date;
  nonce?: string;
}

export interface TestAgent {
  nodeId: string;
  keys: TestAgentKeys;
  /** Headers and body of a signed request. */
  signed(
    method: 'GET' | 'POST',
    path: string,
    options?: SignOptions,
  ): { headers: Record<string, string>; body?: string };
  call(method: 'GET' | 'POST', path: string, options?: SignOptions): Promise<LightMyRequestResponse>;
}

/** A node that has registered. Paths are those below `/api/v1/agent`. */
export async function openTestAgent(api: TestApi, name: string): Promise<TestAgent> {
  const keys = makeKeys();
  const answer = await register(api, await makeToken(api, name), keys);
  const { nodeId } = answer.json<{ nodeId: string }>();
  return agentOf(api, nodeId, keys);
}

/** One for all tests of the file. */
export function useTestAgent(api: TestApi, name: string): TestAgent {
  return useForAll(() => openTestAgent(api, name));
}

export function agentOf(api: TestApi, nodeId: string, keys: TestAgentKeys): TestAgent {
  const privateKey = importPrivateKey('Ed25519', keys.signing);
  const signed: TestAgent['signed'] = (method, path, { body, headers, now, nonce } = {}) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const signature = signRequest({
      ...splitTarget(`/api/v1/agent${path}`),
      ...{ method, privateKey, keyId: nodeId },
      body: Buffer.from(text ?? ''),
      now: now ?? api.clock.now,
      nonce: nonce ?? randomBytes(16).toString('base64url'),
    });
    const type: Record<string, string> = text === undefined ? {} : { 'content-type': 'application/json' };
    return { headers: { ...type, ...headers, ...signature }, ...(text === undefined ? {} : { body: text }) };
  };
  return {
    nodeId,
    keys,
    signed,
    call(method, path, options) {
      const { headers, body } = signed(method, path, options);
      const url = `/api/v1/agent${path}`;
      return api.fastify.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) });
    },
  };
}

/** The header of someone who may use the API. */
export async function bearer(api: TestApi, name = 'ada'): Promise<{ id: string; headers: { authorization: string } }> {
  const token = newToken('lf');
  const { id } = await createAccessToken(api.database.db, { name, tokenHash: hashToken(token) });
  return { id, headers: { authorization: `Bearer ${token}` } };
}

/** The same for all tests of the file, as the header alone. */
export function useBearer(api: TestApi, name?: string): { authorization: string } {
  return useForAll(async () => (await bearer(api, name)).headers);
}
