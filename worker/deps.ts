/** What the worker's drivers work with. Constructed in main files, handed on from there. */
import type { Logger } from 'pino';
import type { AddressPools } from '../core/node/addresses.ts';
import type { MasterKeys } from '../platform/crypto/envelope.ts';
import type { GithubApp } from '../platform/github/app.ts';
import type { Queues } from '../platform/queue/queues.ts';
import type { Database } from '../prisma/client.ts';

export interface WorkerDeps {
  database: Database;
  queues: Queues;
  github: GithubApp;
  log: Logger;
  pools: AddressPools;
  /** For what they open: a rollout is told which secrets do not. */
  masterKeys: MasterKeys;
  /** `host:port` and path prefix of images, e.g. `127.0.0.1:7782/landfall`. */
  imagePrefix: string;
  /** The console page of an intent, with the key that opens it. */
  consoleUrl: (intentId: string) => string;
  /** Where people reach a container at this `host:port`; null: its network is not theirs. */
  containerUrl: (address: string) => string | null;
  /** Since when agents can reach this control plane: that they were silent before says nothing about them. */
  hearingSince: Date;
  now: () => Date;
}
