/** The bot on a real database, with the sandbox as its GitHub: webhooks come over HTTP, jobs run when the test says so. */
import { createHmac, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import pino from 'pino';
import { afterAll, expect } from 'vitest';
import type { BotDeps } from '../../bot/deps.ts';
import { missedDeliveries } from '../../bot/deliveries/missed-deliveries.ts';
import { processDelivery } from '../../bot/deliveries/process-delivery.ts';
import { handledEvents, registerHandlers } from '../../bot/handlers/register.ts';
import { webhookIntake } from '../../bot/intake/webhook-intake.ts';
import { createProbot } from '../../platform/github/probot.ts';
import type { Database } from '../../prisma/client.ts';
import { deliveryReceivedAt, insertDeliveries, unprocessedDeliveries } from '../../prisma/store/deliveries.ts';
import type { Sandbox } from '../../sandbox/server.ts';
import { startTestGithub } from '../github.ts';
import { openTestDatabase } from '../store/database.ts';
import { useOpened } from '../suite.ts';

export interface Enqueued {
  job: string;
  payload: unknown;
}

export interface BotOnSandbox {
  sandbox: Sandbox;
  database: Database;
  deps: BotDeps;
  enqueued: Enqueued[];
  /** Added to the bot's own clock. */
  clock: { aheadMs: number };
  /** Posts a webhook as GitHub would, and gives the status. */
  post(event: string, payload: unknown, guid?: string): Promise<number>;
  /** Waits until GitHub has delivered, then works on what arrived, oldest first. Gives what failed. */
  settle(): Promise<unknown[]>;
  /** One look for deliveries that never arrived. */
  fetchMissed(): Promise<void>;
  close(): Promise<void>;
}

const log = pino({ level: 'silent' });

/** Stands in for the queue: tests run the work themselves. */
function recordingQueues(enqueued: Enqueued[]): BotDeps['queues'] {
  return {
    enqueue: (job, payload) => {
      enqueued.push({ job: job.name, payload });
      return Promise.resolve();
    },
    work: () => undefined,
    every: () => undefined,
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** One for all tests of the file, with a look at the end whether the sandbox was asked for anything that it could not answer. */
export function useBot(): BotOnSandbox {
  const bot = useOpened(startBotOnSandbox);
  // Hooks after the tests run last to first: this one before the bot is closed.
  afterAll(() => {
    expect(bot.sandbox.failures).toEqual([]);
  });
  return bot;
}

async function startBotOnSandbox(): Promise<BotOnSandbox> {
  const clock = { aheadMs: 0 };
  const now = () => new Date(Date.now() + clock.aheadMs);
  const database = await openTestDatabase();
  const github = await startTestGithub(() => new Date());
  const { sandbox, config } = github;
  const enqueued: Enqueued[] = [];
  const deps: BotDeps = {
    database,
    queues: recordingQueues(enqueued),
    github: github.app,
    probot: createProbot(config, log),
    consoleUrl: (intentId) => `https://landfall.test/intents/${intentId}`,
    containerUrl: (address) => `http://${address}`,
    log,
    now,
  };
  registerHandlers(deps.probot, deps, (guid) => deliveryReceivedAt(database.db, guid));
  const fastify = Fastify();
  await webhookIntake({
    verify: (rawBody, signature) => deps.github.verify(rawBody, signature),
    store: (deliveries) => insertDeliveries(database.pool, deliveries),
    wake: () => Promise.resolve(),
    handles: handledEvents,
    log,
    now,
  })(fastify);
  await fastify.listen({ port: 0, host: '127.0.0.1' });
  const { port } = fastify.server.address() as AddressInfo;
  const webhookUrl = `http://127.0.0.1:${port}/webhooks/github`;
  sandbox.deliveries.url = webhookUrl;

  return {
    sandbox,
    database,
    deps,
    enqueued,
    clock,
    async post(event, payload, guid = randomUUID()) {
      const body = JSON.stringify(payload);
      const signature = `sha256=${createHmac('sha256', config.webhookSecret).update(body).digest('hex')}`;
      const headers = { 'content-type': 'application/json', 'x-github-event': event, 'x-github-delivery': guid };
      const signed = { ...headers, 'x-hub-signature-256': signature };
      return (await fetch(webhookUrl, { method: 'POST', body, headers: signed })).status;
    },
    async settle() {
      await sandbox.deliveries.idle();
      const failures: unknown[] = [];
      for (const guid of await unprocessedDeliveries(database.db, new Date(8.64e15), 1_000)) {
        await processDelivery(deps, guid).catch((error: unknown) => failures.push(error));
      }
      return failures;
    },
    fetchMissed: missedDeliveries({ ...deps, handles: handledEvents }),
    async close() {
      await fastify.close();
      await github.close();
      await database.close();
    },
  };
}
