import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import pg from 'pg';
import { claimFile, identify } from '../platform/lifecycle/claim-file.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded.ts';

let folder: string;
let dataDir: string;
const running: EmbeddedPostgres[] = [];

beforeEach(async () => {
  // Closed to everyone but its owner, as root's home is.
  folder = await mkdtemp(join(tmpdir(), 'landfall-embedded-'));
  dataDir = join(folder, 'database');
});

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(options: { port?: number } = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, port: 0, password: 'p@ss/word', ...options });
  running.push(server);
  return server;
}

async function stopLast(): Promise<void> {
  await running.pop()?.stop();
}

async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>(sql);
  await client.end();
  return rows;
}

describe('embedded PostgreSQL', () => {
  it('keeps its data in a folder that is closed to its user, and starts again quickly', async () => {
    const timed = async (): Promise<{ server: EmbeddedPostgres; ms: number }> => {
      const began = performance.now();
      return { server: await start(), ms: performance.now() - began };
    };
    const first = await timed();
    await ask(first.server.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await stopLast();
    const second = await timed();
    console.log(`first start ${first.ms.toFixed(0)} ms, second ${second.ms.toFixed(0)} ms`);
    expect(second.ms).toBeLessThan(first.ms / 2);
    expect(await ask(second.server.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('is durable, and speaks UTF-8 and UTC', async () => {
    const { url } = await start();
    const [row] = await ask(
      url,
      `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
              current_setting('server_encoding') AS encoding, current_setting('timezone') AS timezone`,
    );
    expect(row).toEqual({ fsync: 'on', synchronous_commit: 'on', encoding: 'UTF8', timezone: 'UTC' });
  });

  it('asks for the password', async () => {
    const { url } = await start();
    await expect(ask(url.replace('p%40ss', 'wrong'), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it('says that a port is taken, and starts nothing', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await expect(start({ port })).rejects.toMatchObject({
      code: 'port_taken',
      message: expect.stringContaining(`${port}`),
    });
    other.close();
    await start();
  });

  it('refuses a folder that a live process has', async () => {
    await start();
    await expect(start()).rejects.toMatchObject({
      code: 'data_in_use',
      message: expect.stringContaining(`${process.pid}`),
    });
  });

  it('refuses the data of another major version', async () => {
    await start();
    await stopLast();
    await writeFile(join(dataDir, 'PG_VERSION'), '17\n');
    await expect(start()).rejects.toMatchObject({ code: 'database_version' });
  });

  it('starts over the lock file of a dead process', async () => {
    await start();
    await stopLast();
    const gone = spawn('true');
    await once(gone, 'exit');
    await writeFile(join(dataDir, 'postmaster.pid'), `${gone.pid}\n/elsewhere\n`);
    await writeFile(`${dataDir}.owner`, `${gone.pid} 12345`);
    await start();
  });

  it('starts over the lock file whose process number another program has now', async () => {
    await start();
    await stopLast();
    await writeFile(join(dataDir, 'postmaster.pid'), `${process.pid}\n/elsewhere\n`);
    await writeFile(`${dataDir}.owner`, `${process.pid} 1`);
    await start();
  });

  it('goes from a dead process to one of those that want it at once, and when that is killed to another', async () => {
    const file = `${dataDir}.owner`;
    await writeFile(file, '999999999 1');
    const startAt = String(Date.now() + 3_000);
    const wanting = Array.from({ length: 5 }, () =>
      spawn(process.execPath, ['--import', 'tsx', 'test/store/claim-file.ts', file, startAt], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    const claims = await Promise.all(
      wanting.map(async ({ stdout }) => {
        let said = '';
        while (!/ours|theirs/.test(said)) said += String((await once(stdout, 'data'))[0]);
        return said.trim().split('\n').at(-1);
      }),
    );
    expect(claims.toSorted()).toEqual(['ours', 'theirs', 'theirs', 'theirs', 'theirs']);
    const winner = wanting[claims.indexOf('ours')]!;
    expect(await claimFile(file)).toEqual({ kind: 'theirs', holder: winner.pid });
    winner.kill('SIGKILL');
    await once(winner, 'exit');
    const claim = await claimFile(file);
    expect(claim.kind).toBe('ours');
    if (claim.kind === 'ours') claim.release();
    for (const one of wanting) one.kill('SIGKILL');
  });

  it('takes over from a process that was killed, and loses nothing that it had committed', async () => {
    const holder = spawn(process.execPath, ['--import', 'tsx', 'test/store/hold-postgres.ts', dataDir, 'p@ss/word'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [url] = (await once(holder.stdout, 'data')) as [Buffer];
    await ask(url.toString(), 'CREATE TABLE kept AS SELECT 42 AS answer');
    const orphan = (await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n')[0];
    holder.kill('SIGKILL');
    await once(holder, 'exit');

    const server = await start();
    expect(await ask(server.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(await identify(Number(orphan))).toBeNull();
  });

  it('ends when its process is killed, without anybody who starts it again', async () => {
    const holder = spawn(process.execPath, ['--import', 'tsx', 'test/store/hold-postgres.ts', dataDir, 'p@ss/word'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    const server = Number((await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n')[0]);
    expect(await identify(server)).not.toBeNull();
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await vi.waitFor(async () => expect(await identify(server)).toBeNull(), { timeout: 15_000, interval: 50 });
  });
});
