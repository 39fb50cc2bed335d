/** The worker on a real database with the sandbox as its GitHub; its jobs run when the test says so. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { defaultAddressPools } from '../../core/node/addresses.ts';
import { createGithubApp } from '../../platform/github/app.ts';
import type { Queues } from '../../platform/queue/queues.ts';
import { openDatabase, type Database } from '../../prisma/client.ts';
import { startSandbox, type Sandbox } from '../../sandbox/server.ts';
import type { WorkerDeps } from '../../worker/deps.ts';
import { startWorker } from '../../worker/start.ts';
import { sweep } from '../../worker/sweep/sweep.ts';
import { heldQueues, type HeldQueues } from '../fakes/queues.ts';
import { createDatabase } from '../store/database.ts';

export interface World<Q extends Queues = HeldQueues> {
  url: string;
  database: Database;
  sandbox: Sandbox;
  queues: Q;
  deps: WorkerDeps;
  clock: { aheadMs: number };
  now: () => Date;
  /** What the timer of the worker does every 15 seconds. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
});
const appId = 4242;
const webhookSecret = 'a webhook secret';
const log = pino({ level: 'silent' });

/** With jobs that wait for the test. */
export function startWorld(): Promise<World> {
  return startWorldOn((_url, now) => Promise.resolve(heldQueues(now)));
}

/** With a queue of the test's choosing, given the URL of the database. */
export async function startWorldOn<Q extends Queues>(
  open: (url: string, now: () => Date) => Promise<Q>,
): Promise<World<Q>> {
  const clock = { aheadMs: 0 };
  const now = (): Date => new Date(Date.now() + clock.aheadMs);
  const folder = await mkdtemp(join(tmpdir(), 'landfall-worker-'));
  const made = await createDatabase();
  const database = openDatabase(made.url, { poolSize: 20 });
  const sandbox = await startSandbox({
    port: 0,
    dataDir: folder,
    app: { id: appId, slug: 'landfall', privateKeyPublicPem: keys.publicKey },
    webhookUrl: null,
    webhookSecret,
  });
  const { apiUrl } = sandbox;
  const github = createGithubApp({
    ...{ appId, privateKey: keys.privateKey, webhookSecret, apiUrl, log, now },
    throttle: { enabled: false },
  });
  const queues = await open(made.url, now);
  const deps: WorkerDeps = {
    ...{ database, queues, github, log, now, pools: defaultAddressPools },
    imagePrefix: '127.0.0.1:7782/landfall',
    consoleUrl: (intentId) => `https://landfall.test/intents/${intentId}`,
    containerUrl: (address) => `http://${address}`,
    hearingSince: new Date(0),
  };
  startWorker(deps);
  return {
    ...{ url: made.url, database, sandbox, queues, deps, clock, now },
    sweep: () => sweep(deps),
    async close() {
      await queues.close();
      await sandbox.close();
      await database.close();
      await made.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
