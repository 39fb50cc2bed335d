/** Puts the control plane together: any of bot, API and worker, in one process. */
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { startApi } from '../../api/start.ts';
import { createProbot } from '../../platform/github/probot.ts';
import { startBot } from '../../bot/start.ts';
import type { Config, GithubConfig } from '../../platform/config/config.ts';
import type { MasterKeys } from '../../platform/crypto/envelope.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { createGithubApp } from '../../platform/github/app.ts';
import { Releasers } from '../../platform/lifecycle/releasers.ts';
import { intentUrl } from '../../platform/links/intent-link.ts';
import type { Logger } from '../../platform/log/log.ts';
import { openQueues, type Queues } from '../../platform/queue/queues.ts';
import { openWake } from '../../platform/wake/wake.ts';
import { openDatabase, type Database } from '../../prisma/client.ts';
import { migrate } from '../../prisma/migrate.ts';
import { startWorker } from '../../worker/start.ts';
import { keepConfiguredToken } from './access-token.ts';
import { findDatabase } from './database.ts';
import { createHttp } from './http.ts';
import { installRoutes } from './install-routes.ts';
import { loadMasterKeys } from './master-keys.ts';
import { reencryptSecrets } from './reencrypt.ts';
import type { Role } from './roles.ts';

export interface RunningServer {
  /** Base URL it listens on; null for a worker alone. */
  address: string | null;
  /** Settles, with a sentence, when a part is gone that the server cannot do without. */
  lost: Promise<string>;
  stop(): Promise<void>;
}

/** Connections to PostgreSQL of one process; its queue and its wake-ups have their own. */
const poolSize = 20;

interface Parts {
  config: Config;
  database: Database;
  queues: Queues;
  masterKeys: MasterKeys;
  databaseUrl: string;
  lost: Promise<string> | null;
  releasers: Releasers;
  log: Logger;
}

async function openParts(config: Config, log: Logger, releasers: Releasers): Promise<Parts> {
  const { url, lost } = await findDatabase(config, releasers);
  await migrate(url);
  const database = openDatabase(url, { poolSize, log });
  releasers.defer('database', () => database.close());
  const masterKeys = await loadMasterKeys(config.masterKeys, database);
  const queues = await openQueues(config.queueUrl ?? url, { log });
  releasers.defer('queues', () => queues.close());
  return { config, database, queues, masterKeys, databaseUrl: url, lost, releasers, log };
}

function githubOf(config: Config): GithubConfig {
  if (config.github !== null) return config.github;
  throw new StalledError('config_invalid', 'Bot and worker need the GitHub App, and its configuration was not read.');
}

async function startWithGithub(parts: Parts, wanted: ReadonlySet<Role>, http: FastifyInstance): Promise<void> {
  const { config, database, queues, log, masterKeys } = parts;
  const githubConfig = githubOf(config);
  const github = createGithubApp({ ...githubConfig, log });
  const links = {
    consoleUrl: (intentId: string): string => intentUrl(config.publicUrl, masterKeys, intentId),
    containerUrl: (address: string): string | null => (config.containerLinks ? `http://${address}` : null),
  };
  const shared = { database, queues, github, log, ...links, now: () => new Date() };
  if (wanted.has('worker')) {
    const imagePrefix = [config.registry.host, config.registry.path].filter((part) => part !== '').join('/');
    startWorker({ ...shared, pools: config.pools, masterKeys, imagePrefix, hearingSince: shared.now() });
  }
  if (wanted.has('bot')) await startBot({ ...shared, probot: createProbot(githubConfig, log) }).register(http);
}

/** The keys are read at start, so this is when one can have become an older one. */
function reencryptMeanwhile(parts: Omit<Parts, 'config' | 'releasers'>, releasers: Releasers): void {
  const ending = new AbortController();
  const work = reencryptSecrets({ ...parts, signal: ending.signal }).catch((error: unknown) => {
    parts.log.error({ err: error }, 'secrets were not encrypted anew; the next start goes on with it');
  });
  releasers.defer('encrypting anew', async () => {
    ending.abort();
    await work;
  });
}

async function startApiOf({ config, releasers, ...parts }: Parts, http: FastifyInstance): Promise<void> {
  const now = (): Date => new Date();
  await keepConfiguredToken({ ...parts, token: config.accessToken, now });
  reencryptMeanwhile(parts, releasers);
  const wake = await openWake(parts.databaseUrl, { log: parts.log });
  releasers.defer('wake', () => wake.close());
  const api = startApi({
    ...parts,
    wake,
    config: { ...config, github: { url: config.githubUrl } },
    now,
  });
  await api.register(http);
  installRoutes(http, config.publicUrl);
  releasers.defer('api', () => api.stop());
}

async function start(parts: Parts, wanted: ReadonlySet<Role>): Promise<string | null> {
  const { config, log, releasers } = parts;
  const logger: FastifyBaseLogger = log.child({}, { level: 'warn' });
  const http = createHttp(logger);
  if (wanted.has('api')) await startApiOf(parts, http);
  if (wanted.has('bot') || wanted.has('worker')) await startWithGithub(parts, wanted, http);
  if (!wanted.has('api') && !wanted.has('bot')) return null;
  const address = await http.listen(config.listen);
  releasers.defer('http', () => http.close());
  return address;
}

/** Rejects with what stands in the way, after ending what was started. */
export async function startServer(config: Config, wanted: ReadonlySet<Role>, log: Logger): Promise<RunningServer> {
  const releasers = new Releasers();
  const stop = async (): Promise<void> => {
    for (const failure of await releasers.releaseAll()) log.warn(failure, 'a part did not end cleanly');
  };
  try {
    const parts = await openParts(config, log, releasers);
    const never = new Promise<string>(() => undefined);
    return { address: await start(parts, wanted), lost: parts.lost ?? never, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
