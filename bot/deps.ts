/** What the bot's handlers and jobs work with. Constructed in main files, handed on from there. */
import type { Probot } from 'probot';
import type { Logger } from 'pino';
import type { GithubClient } from '../platform/github/client.ts';
import type { GithubApp } from '../platform/github/app.ts';
import type { Queues } from '../platform/queue/queues.ts';
import type { Database } from '../prisma/client.ts';

export interface BotDeps {
  database: Database;
  queues: Queues;
  github: GithubApp;
  /** Dispatches events to the handlers; made by `createProbot`. */
  probot: Probot;
  /** The console page of an intent, with the key that opens it. */
  consoleUrl: (intentId: string) => string;
  /** Where people reach a container at this `host:port`; null: its network is not theirs. */
  containerUrl: (address: string) => string | null;
  log: Logger;
  now: () => Date;
}

/** What handlers need: a test gives it a fake GitHub. */
export interface HandlerDeps extends Pick<BotDeps, 'database' | 'consoleUrl' | 'containerUrl' | 'log' | 'now'> {
  queues: Pick<Queues, 'enqueue'>;
  github: {
    forInstallation(installationId: number): Promise<GithubClient>;
    asApp(): GithubClient;
  };
}

/** A delivery on its way to a handler. */
export interface ReceivedEvent {
  guid: string;
  /** `push`, `check_run.rerequested`. */
  name: string;
  payload: unknown;
  receivedAt: Date;
}
