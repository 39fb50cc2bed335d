/** Starts the sandbox: a GitHub that runs on this machine, with REST, git, webhooks, pages and control on one port. */
import { createPublicKey, randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { runCommand, type Control } from './control/commands.ts';
import { controlOf } from './control/control.ts';
import { controlRoutes } from './control/routes.ts';
import { Faults } from './faults.ts';
import { gitRoutes } from './git/routes.ts';
import { GitStorage } from './git/storage.ts';
import { isOwnHost } from './http/own-host.ts';
import { RateLimits } from './http/rate-limits.ts';
import { RequestLog } from './http/request-log.ts';
import { apiBase, restRoutes } from './http/routes.ts';
import type { Permissions } from './state/model.ts';
import { pageRoutes } from './page/routes.ts';
import { loadSnapshot, SnapshotWriter } from './state/snapshot.ts';
import { createTables, type Tables } from './state/tables.ts';
import { Deliveries } from './webhooks/deliveries.ts';
import { subscribedEvents } from './webhooks/names.ts';
import type { World } from './world.ts';

export interface SandboxOptions {
  /** Default: 127.0.0.1. Requests that name another host than this or localhost are refused. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Bare git repositories and the snapshot of everything else; made when missing. */
  readonly dataDir: string;
  readonly app: {
    readonly id: number;
    readonly slug: string;
    /** PEM that verifies the App's JWTs. */
    readonly privateKeyPublicPem: string;
    /** Default: what Landfall asks for. */
    readonly permissions?: Permissions;
  };
  /** `null`: nothing is delivered until one is set. */
  readonly webhookUrl: string | null;
  readonly webhookSecret: string;
  /** What the control API is commanded with. */
  readonly controlToken: string;
  readonly clock?: () => number;
}

export interface Sandbox extends Control {
  /** Base of pages and git, such as `http://127.0.0.1:7781`. */
  readonly url: string;
  /** REST base, what Octokit calls `baseUrl`. */
  readonly apiUrl: string;
  readonly state: Tables;
  readonly faults: Faults;
  readonly limits: RateLimits;
  readonly requests: RequestLog;
  readonly deliveries: Deliveries;
  /** Faults of the sandbox itself; a test that ends with any has found a bug in it. */
  readonly failures: readonly string[];
  readonly close: () => Promise<void>;
}

const defaultPermissions: Permissions = {
  metadata: 'read',
  contents: 'read',
  actions: 'read',
  administration: 'read',
  members: 'read',
  checks: 'write',
  deployments: 'write',
  issues: 'write',
  pull_requests: 'write',
  statuses: 'write',
};

const appCreatedAt = Date.UTC(2025, 0, 1);

function createWorld(
  options: SandboxOptions,
  tables: Tables,
  { base, changes }: { base: () => string; changes: EventEmitter },
): World {
  const now = options.clock ?? Date.now;
  const faults = new Faults();
  const { id, slug, privateKeyPublicPem, permissions = defaultPermissions } = options.app;
  return {
    app: {
      id,
      slug,
      publicKey: createPublicKey(privateKeyPublicPem),
      permissions,
      events: subscribedEvents,
      createdAt: appCreatedAt,
    },
    get url() {
      return base();
    },
    get apiUrl() {
      return base() + apiBase;
    },
    now,
    tables,
    git: new GitStorage(join(options.dataDir, 'repositories')),
    faults,
    limits: new RateLimits(),
    requests: new RequestLog(),
    deliveries: new Deliveries({
      table: tables.deliveries,
      faults,
      now,
      appId: id,
      secret: options.webhookSecret,
      url: options.webhookUrl,
    }),
    failures: [],
    changes,
  };
}

const defaultHost = '127.0.0.1';

function createServer(world: World, host: string): FastifyInstance {
  const server = Fastify({
    // Standard output belongs to whoever runs the sandbox.
    logger: { level: 'error', stream: process.stderr },
    genReqId: () => randomUUID(),
    forceCloseConnections: true,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  });
  server.addHook('onRequest', async (request, reply) => {
    if (isOwnHost(request.headers.host, host)) return;
    await reply.code(421).send({ message: `The sandbox is for this machine: ask it as localhost or ${host}.` });
  });
  server.setErrorHandler((error: Error, request, reply) => {
    world.failures.push(`${request.method} ${request.url}: ${error.message}`);
    request.log.error(error);
    return reply.code(500).send({ message: error.message });
  });
  return server;
}

async function register(server: FastifyInstance, world: World, controlToken: string): Promise<void> {
  for (const routes of [restRoutes(world), gitRoutes(world), controlRoutes(world, controlToken), pageRoutes(world)])
    await server.register((instance, _options, done) => {
      routes(instance);
      done();
    });
}

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const changes = new EventEmitter();
  changes.setMaxListeners(0);
  const tables = createTables(() => changes.emit('change'));
  const snapshotFile = join(options.dataDir, 'state.json');
  await loadSnapshot(snapshotFile, tables);
  const snapshot = new SnapshotWriter(snapshotFile, tables);
  changes.on('change', () => snapshot.touch());
  let url = '';
  const world = createWorld(options, tables, { base: () => url, changes });
  const { host = defaultHost } = options;
  const server = createServer(world, host);
  await register(server, world, options.controlToken);
  await server.listen({ host, port: options.port });
  url = `http://${host}:${(server.server.address() as AddressInfo).port}`;
  return {
    ...controlOf((name, input) => runCommand(world, name, input)),
    url,
    apiUrl: world.apiUrl,
    state: tables,
    faults: world.faults,
    limits: world.limits,
    requests: world.requests,
    deliveries: world.deliveries,
    failures: world.failures,
    close: async () => {
      await world.deliveries.close();
      await server.close();
      await snapshot.close();
    },
  };
}
