/** What the API works with. Constructed in main files, handed on from there. */
import type { Logger } from 'pino';
import type { AddressPools } from '../core/node/addresses.ts';
import type { BuildConfig, RegistryConfig } from '../platform/config/config.ts';
import type { MasterKeys } from '../platform/crypto/envelope.ts';
import type { Queues } from '../platform/queue/queues.ts';
import type { Wake } from '../platform/wake/wake.ts';
import type { Database } from '../prisma/client.ts';

export interface ApiConfig {
  /** Base URL of console and API, as it stands in links. */
  publicUrl: string;
  /** Base of clone URLs. */
  github: { url: string };
  registry: RegistryConfig;
  build: BuildConfig;
  pools: AddressPools;
}

export interface ApiDeps {
  database: Database;
  queues: Pick<Queues, 'enqueue' | 'ping'>;
  wake: Wake;
  config: ApiConfig;
  masterKeys: MasterKeys;
  log: Logger;
  now: () => Date;
}
