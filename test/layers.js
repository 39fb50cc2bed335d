/**
 * What each folder may import: the one table behind the lint rule and `test/layers.test.ts`.
 * `mayImport` lists other top-level folders, and `onlyOf` the files and folders of one of them where not all of it is meant;
 * `bannedPackages` lists npm packages a folder must not reach.
 * @type {Record<string, { mayImport: string[], onlyOf?: Record<string, string[]>, bannedPackages: string[] }>}
 */
const serverOnly = ['@prisma/client', 'bullmq', 'probot', 'octokit', '@octokit', 'ioredis', 'pg'];

export const layers = {
  core: {
    mayImport: [],
    bannedPackages: [
      ...serverOnly,
      'fastify',
      'pino',
      '@grpc/grpc-js',
      'node:fs',
      'node:http',
      'node:https',
      'node:net',
      'node:child_process',
      'node:timers',
      'node:os',
    ],
  },
  platform: { mayImport: ['core'], bannedPackages: ['@prisma/client'] },
  prisma: { mayImport: ['core', 'platform'], bannedPackages: ['bullmq', 'probot', 'fastify', '@octokit'] },
  bot: { mayImport: ['core', 'platform', 'prisma'], bannedPackages: ['@prisma/client'] },
  api: { mayImport: ['core', 'platform', 'prisma'], bannedPackages: ['@prisma/client', 'probot', '@octokit'] },
  worker: { mayImport: ['core', 'platform', 'prisma'], bannedPackages: ['@prisma/client', 'fastify'] },
  agent: {
    mayImport: ['core', 'platform'],
    onlyOf: {
      platform: [
        'config/agent.ts',
        'crypto/keys.ts',
        'crypto/sealing.ts',
        'errors/',
        'files/',
        'lifecycle/',
        'log/',
        'signature/',
      ],
    },
    bannedPackages: serverOnly,
  },
  sandbox: { mayImport: [], bannedPackages: ['@prisma/client', 'bullmq', 'probot'] },
  cli: { mayImport: ['core', 'platform', 'prisma', 'bot', 'api', 'worker', 'agent', 'sandbox'], bannedPackages: [] },
};

/**
 * Clients of other processes, by the one module that constructs each: of which packages, and who may call the functions that open
 * them (files, or folders). `cli/` puts the control plane together and `agent/start.ts` the agent; everybody else is handed what is open.
 * @type {Record<string, { packages: string[], opens: string[], by: string[] }>}
 */
export const clients = {
  'prisma/client.ts': {
    packages: ['pg', '@prisma/adapter-pg', 'prisma/client/client.ts'],
    opens: ['openDatabase'],
    by: ['cli/'],
  },
  'prisma/migrate.ts': { packages: ['pg'], opens: ['migrate'], by: ['cli/'] },
  'prisma/migrate/adapters.ts': {
    packages: ['pg', '@prisma/adapter-pg'],
    opens: ['migrationAdapters'],
    by: ['prisma/'],
  },
  'platform/queue/queues.ts': { packages: [], opens: ['openQueues'], by: ['cli/'] },
  'platform/queue/backend.ts': {
    packages: ['bullmq', 'ioredis', 'pg'],
    opens: ['openBackend'],
    by: ['platform/queue/'],
  },
  'platform/wake/wake.ts': { packages: ['pg'], opens: ['openWake'], by: ['cli/'] },
  'platform/github/app.ts': { packages: [], opens: ['createGithubApp'], by: ['cli/'] },
  'platform/github/octokit.ts': {
    packages: ['@octokit/rest'],
    opens: ['createOctokit'],
    by: ['platform/github/'],
  },
  'platform/github/probot.ts': { packages: ['probot'], opens: ['createProbot'], by: ['cli/'] },
  'agent/control/transport.ts': { packages: [], opens: ['controlTransport'], by: ['agent/start.ts'] },
  'agent/podman/socket.ts': { packages: [], opens: ['engineSocket'], by: ['agent/podman/'] },
  'agent/build/buildkit/client.ts': { packages: [], opens: ['connectBuildKit'], by: ['agent/build/'] },
};
