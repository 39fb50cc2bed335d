/** The worker on a real database with the sandbox as its GitHub; its jobs run when the test says so. */
import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { defaultAddressPools } from '../../core/node/addresses.ts';
import type { Queues } from '../../platform/queue/queues.ts';
import type { Sandbox } from '../../sandbox/server.ts';
import type { WorkerDeps } from '../../worker/deps.ts';
import { startWorker } from '../../worker/start.ts';
import { sweep } from '../../worker/sweep/sweep.ts';
import { heldQueues, type HeldQueues } from '../fakes/queues.ts';
import { startTestGithub } from '../github.ts';
import { openTestDatabase, type OpenTestDatabase } from '../store/database.ts';

export interface World<Q extends Queues = HeldQueues> {
  database: OpenTestDatabase;
  sandbox: Sandbox;
  queues: Q;
  deps: WorkerDeps;
  clock: { aheadMs: number };
  now: () => Date;
  /** What the timer of the worker does every 15 seconds. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

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
  const database = await openTestDatabase({ poolSize: 20 });
  const github = await startTestGithub(now);
  const queues = await open(database.url, now);
  const deps: WorkerDeps = {
    ...{ database, queues, github: github.app, log, now, pools: defaultAddressPools },
    masterKeys: { keys: [randomBytes(32)] },
    imagePrefix: '127.0.0.1:7782/landfall',
    consoleUrl: (intentId) => `https://landfall.test/intents/${intentId}`,
    containerUrl: (address) => `http://${address}`,
    hearingSince: new Date(0),
  };
  startWorker(deps);
  return {
    ...{ database, sandbox: github.sandbox, queues, deps, clock, now },
    sweep: () => sweep(deps),
    async close() {
      await queues.close();
      await github.close();
      await database.close();
    },
  };
}
