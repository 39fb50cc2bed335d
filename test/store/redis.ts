/** Starts a real redis-server for one test file: on a free port, with nothing on disk. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { Redis } from 'ioredis';
import { takePort } from '../../prisma/embedded/port.ts';

export interface TestRedis {
  url: string;
  /** Empties it, as an operator or an eviction would. */
  flush: () => Promise<void>;
  stop: () => Promise<void>;
}

export async function startRedis(): Promise<TestRedis> {
  const port = await takePort(0);
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tmpdir()];
  const child = spawn('redis-server', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  await Promise.race([once(child, 'spawn'), once(child, 'error').then(missing)]);
  const admin = new Redis(port, '127.0.0.1', { retryStrategy: (times) => (times > 200 ? null : 20) });
  // Refused until it listens.
  admin.on('error', () => undefined);
  await admin.ping();
  return {
    url: `redis://127.0.0.1:${port}`,
    async flush() {
      await admin.flushall();
    },
    async stop() {
      admin.disconnect();
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

function missing(): never {
  throw new Error('These tests need redis-server; install it with: apt-get install redis-server');
}
