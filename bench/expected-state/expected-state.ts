/** Expected state: 304 answers a second against a bare route that verifies the same signature, and what 1,000 agents cost. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { serverFlags } from '../../platform/lifecycle/node-flags.ts';
import { startEmbeddedPostgres } from '../../prisma/embedded.ts';
import { openDatabase } from '../../prisma/client.ts';
import { migrate } from '../../prisma/migrate.ts';
import { median } from '../median.ts';
import type { BenchRow } from '../row.ts';
import { makeFleet } from './agents.ts';
import { cpuSeconds } from './cpu.ts';
import type { Load } from './load.ts';
import { fetchTags, signerOf } from './requests.ts';

const run = promisify(execFile);
const rounds = 11;
const requests = 6_000;
const agents = 1_000;
const minShare = 0.5;
const windowMs = 5_000;
/** Percent of one core, server and PostgreSQL together. */
const maxCpu = 50;

interface Server {
  port: number;
  pid: number;
  process: ChildProcess;
}

function nodeArguments(file: string, ...args: string[]): string[] {
  return ['--import', 'tsx', path.join(import.meta.dirname, file), ...args];
}

/** Ours runs as it does for users; the other as Node.js does by itself. */
const flags: Partial<Record<string, readonly string[]>> = { 'serve-landfall.ts': serverFlags };

/** Resolves when the process has printed its port. */
function serve(file: string, ...args: string[]): Promise<Server> {
  const child = spawn(process.execPath, [...(flags[file] ?? []), ...nodeArguments(file, ...args)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.stdout.once('data', (line: Buffer) =>
      resolve({ port: Number(line.toString()), pid: child.pid ?? 0, process: child }),
    );
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
  });
}

type Fleet = Pick<Load, 'fleetFile' | 'tagsFile'>;

async function perSecond(server: Server, fleet: Fleet): Promise<number> {
  const load: Load = { ...fleet, kind: 'burst', port: server.port, count: requests };
  const { stdout } = await run(process.execPath, nodeArguments('load.ts', JSON.stringify(load)));
  return Number(stdout);
}

async function throughput(ours: Server, peer: Server, fleet: Fleet): Promise<BenchRow> {
  for (const server of [ours, peer]) await perSecond(server, fleet);
  const pairs: { ours: number; peer: number }[] = [];
  for (let round = 0; round < rounds; round++)
    pairs.push({ ours: await perSecond(ours, fleet), peer: await perSecond(peer, fleet) });
  const ratio = median(pairs.map((pair) => pair.ours / pair.peer));
  return {
    id: 'expected-state.unchanged',
    ours: Math.round(median(pairs.map((pair) => pair.ours))),
    peer: Math.round(median(pairs.map((pair) => pair.peer))),
    unit: '/s',
    ratio: Math.round(ratio * 100) / 100,
    target: `≥ ${minShare} ×`,
    met: ratio >= minShare,
    runs: rounds,
  };
}

async function fleetCpu(ours: Server, postgresPid: number, fleet: Fleet): Promise<BenchRow> {
  const load: Load = { ...fleet, kind: 'fleet', port: ours.port, count: 0 };
  const polling = spawn(process.execPath, nodeArguments('load.ts', JSON.stringify(load)), { stdio: 'inherit' });
  const shares: number[] = [];
  try {
    await setTimeout(20_000);
    for (let round = 0; round < rounds; round++) {
      const [from, began] = [cpuSeconds([ours.pid, postgresPid]), performance.now()];
      await setTimeout(windowMs);
      const seconds = (performance.now() - began) / 1000;
      shares.push((100 * (cpuSeconds([ours.pid, postgresPid]) - from)) / seconds);
    }
    if (polling.exitCode !== null) throw new Error('The agents ended before the measurement did.');
  } finally {
    polling.kill();
  }
  const share = median(shares);
  return {
    id: 'expected-state.fleet-1000.cpu',
    ours: Math.round(share * 10) / 10,
    peer: null,
    unit: '% of a core',
    ratio: null,
    target: `< ${maxCpu} %, PostgreSQL included`,
    met: share < maxCpu,
    runs: rounds,
  };
}

export async function benchExpectedState(): Promise<BenchRow[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'landfall-bench-'));
  const dataDir = path.join(folder, 'postgres');
  const servers: Server[] = [];
  const postgres = await startEmbeddedPostgres({ dataDir, port: 0, password: 'bench' });
  try {
    await migrate(postgres.url);
    const database = openDatabase(postgres.url);
    const nodes = await makeFleet(database, agents);
    await database.close();
    const fleet = { fleetFile: path.join(folder, 'fleet.json'), tagsFile: path.join(folder, 'tags.json') };
    await writeFile(fleet.fleetFile, JSON.stringify(nodes));
    const ours = await serve('serve-landfall.ts', postgres.url);
    servers.push(ours);
    const peer = await serve('serve-bare.ts', fleet.fleetFile);
    servers.push(peer);
    await writeFile(fleet.tagsFile, JSON.stringify(await fetchTags(ours.port, nodes.map(signerOf))));
    const postgresPid = Number(readFileSync(path.join(dataDir, 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
    return [await throughput(ours, peer, fleet), await fleetCpu(ours, postgresPid, fleet)];
  } finally {
    for (const server of servers) server.process.removeAllListeners('exit').kill();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
