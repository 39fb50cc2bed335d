/**
 * What each folder may import: the one table behind the lint rule and `test/layers.test.ts`.
 * `mayImport` lists other top-level folders; `bannedPackages` lists npm packages a folder must not reach.
 * @type {Record<string, { mayImport: string[], bannedPackages: string[] }>}
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
  agent: { mayImport: ['core', 'platform'], bannedPackages: serverOnly },
  sandbox: { mayImport: [], bannedPackages: ['@prisma/client', 'bullmq', 'probot'] },
  cli: { mayImport: ['core', 'platform', 'prisma', 'bot', 'api', 'worker', 'agent', 'sandbox'], bannedPackages: [] },
};
