/** Webhooks a second, durable, against Probot's own middleware with a handler that does nothing; and how fast they are acknowledged. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { serverFlags } from '../../platform/lifecycle/node-flags.ts';
import { startEmbeddedPostgres } from '../../prisma/embedded.ts';
import { migrate } from '../../prisma/migrate.ts';
import { median } from '../median.ts';
import type { BenchRow } from '../row.ts';
import type { Load, LoadResult } from './load.ts';

const run = promisify(execFile);
const here = import.meta.dirname;
const secret = 'a webhook secret';
const webhooks = 6_000;
const connections = 128;
/** Of an acknowledgement, at 200 webhooks a second. */
const maxAckMs = 50;

interface Server {
  port: number;
  process: ChildProcess;
}

function nodeArguments(file: string, ...args: string[]): string[] {
  return ['--import', 'tsx', path.join(here, file), ...args];
}

/** Ours runs as it does for users; the other as Node.js does by itself. */
const flags: Partial<Record<string, readonly string[]>> = { 'serve-landfall.ts': serverFlags };

/** Resolves when the process has printed its port. */
function serve(file: string, ...args: string[]): Promise<Server> {
  const child = spawn(process.execPath, [...(flags[file] ?? []), ...nodeArguments(file, ...args)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.stdout.once('data', (line: Buffer) => resolve({ port: Number(line.toString()), process: child }));
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
  });
}

/** A push to a branch, 7.7 KB, as GitHub documents it. */
function examplePush(): string {
  const examples = createRequire(import.meta.url)('@octokit/webhooks-examples') as {
    name: string;
    examples: { ref?: string; installation?: object }[];
  }[];
  const pushes = examples.find(({ name }) => name === 'push')?.examples ?? [];
  const push = pushes.find(({ ref, installation }) => installation !== undefined && ref?.startsWith('refs/heads/'));
  return JSON.stringify(push);
}

async function load(port: number, how: Pick<Load, 'count' | 'rate'>): Promise<LoadResult> {
  const asked: Load = {
    port,
    secret,
    connections,
    path: '/webhooks/github',
    event: 'push',
    body: examplePush(),
    ...how,
  };
  const { stdout } = await run(process.execPath, nodeArguments('load.ts', JSON.stringify(asked)));
  const result = JSON.parse(stdout) as LoadResult;
  if (result.refused > 0) throw new Error(`${result.refused} of ${how.count} webhooks were refused.`);
  return result;
}

async function throughput(ours: Server, peer: Server, rounds: number): Promise<BenchRow> {
  const perSecond = async ({ port }: Server) => webhooks / (await load(port, { count: webhooks, rate: null })).seconds;
  for (const server of [ours, peer]) await perSecond(server);
  const pairs: { ours: number; peer: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    pairs.push({ ours: await perSecond(ours), peer: await perSecond(peer) });
  }
  const ratio = median(pairs.map((pair) => pair.ours / pair.peer));
  return {
    id: 'intake.webhooks',
    ours: median(pairs.map((pair) => pair.ours)),
    peer: median(pairs.map((pair) => pair.peer)),
    unit: '/s',
    ratio,
    target: '≥ 1.0 ×',
    met: ratio >= 1,
    runs: rounds,
  };
}

async function acknowledgement(ours: Server, rounds: number): Promise<BenchRow> {
  const p99s: number[] = [];
  for (let round = 0; round < rounds; round++) p99s.push((await load(ours.port, { count: 600, rate: 200 })).p99);
  const p99 = median(p99s);
  return {
    id: 'intake.acknowledgement.p99',
    ours: p99,
    peer: null,
    unit: 'ms',
    ratio: null,
    target: `< ${maxAckMs} ms at 200/s`,
    met: p99 < maxAckMs,
    runs: rounds,
  };
}

/** `rounds`: how often each side is measured, in turn. */
export async function benchIntake({ rounds }: { rounds: number } = { rounds: 11 }): Promise<BenchRow[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'landfall-bench-'));
  const servers: Server[] = [];
  const postgres = await startEmbeddedPostgres({ dataDir: path.join(folder, 'postgres'), port: 0, password: secret });
  try {
    await migrate(postgres.url);
    const ours = await serve('serve-landfall.ts', postgres.url, secret);
    servers.push(ours);
    const peer = await serve('serve-probot.ts', secret);
    servers.push(peer);
    return [await throughput(ours, peer, rounds), await acknowledgement(ours, rounds)];
  } finally {
    for (const server of servers) server.process.removeAllListeners('exit').kill();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
