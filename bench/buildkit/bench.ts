/**
 * Our BuildKit client against `buildctl`, on one daemon: a cold context of 400 MB, a warm one of 20,000 files, a cached
 * rebuild.
 *
 * Ours runs in a process of its own that stays up, as the agent does; it is timed from the order that is sent to it to its
 * answer. The peer is the `buildctl` process, timed from its start to its exit, as a platform that calls it would wait.
 * Both send the same directory with the same Dockerfile, without an export. Runs alternate, and take turns in being first.
 */
import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connectBuildKit, type BuildKitClient } from '../../agent/build/buildkit/client.ts';
import { startBuildKit } from '../../agent/build/buildkit/testing.ts';
import { part } from '../../test/parts.ts';
import type { BenchRow } from '../row.ts';
import { writeLargeContext, writeManyFilesContext, writeSmallContext } from './contexts.ts';
import { median } from '../median.ts';

export interface BenchBuildKitOptions {
  /** Of each kind, for each of the two; medians of fewer than 10 say little. */
  readonly runs?: number;
  note?(line: string): void;
}

interface Setup {
  readonly address: string;
  readonly client: BuildKitClient;
  readonly builder: ChildProcess;
  readonly buildctl: string;
  readonly runs: number;
}

interface Case {
  readonly id: string;
  writeContext(): Promise<string>;
  /** Before each run, untimed. */
  prepare(setup: Setup): Promise<void>;
  /** Builds that come before the first measured one, so that what is measured is warm. */
  readonly warmUps: number;
}

const run = promisify(execFile);
const limit = 1.2;

const cases: readonly Case[] = [
  {
    id: 'buildkit_cold_context_400mb',
    writeContext: writeLargeContext,
    prepare: async ({ client }) => {
      await client.prune({ reservedSpace: 0, maxUsedSpace: 0 });
    },
    warmUps: 1,
  },
  {
    id: 'buildkit_warm_context_20000_files',
    writeContext: writeManyFilesContext,
    prepare: () => Promise.resolve(),
    warmUps: 2,
  },
  {
    id: 'buildkit_cached_rebuild',
    writeContext: writeSmallContext,
    prepare: () => Promise.resolve(),
    warmUps: 2,
  },
];

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function buildOurs({ builder }: Setup, contextDir: string): Promise<void> {
  const answered = once(builder, 'message') as Promise<[{ error: string | null }]>;
  builder.send({ contextDir });
  const [{ error }] = await answered;
  if (error !== null) throw new Error(`Our client failed: ${error}`);
}

async function buildPeer({ address, buildctl }: Setup, contextDir: string): Promise<void> {
  await run(buildctl, [
    ...['--addr', address, 'build', '--progress', 'plain', '--frontend', 'dockerfile.v0'],
    ...['--local', `context=${contextDir}`, '--local', `dockerfile=${contextDir}`],
  ]);
}

async function measure(setup: Setup, one: Case): Promise<BenchRow> {
  const contextDir = await one.writeContext();
  const ours: number[] = [];
  const peer: number[] = [];
  const sides = [
    { times: ours, build: buildOurs },
    { times: peer, build: buildPeer },
  ];
  for (let index = -one.warmUps; index < setup.runs; index++) {
    for (const { times, build } of index % 2 === 0 ? sides : sides.toReversed()) {
      await one.prepare(setup);
      const time = await timed(() => build(setup, contextDir));
      if (index >= 0) times.push(time);
    }
  }
  await rm(contextDir, { recursive: true });
  const ratio = median(ours) / median(peer);
  return {
    id: one.id,
    ours: Math.round(median(ours) * 10) / 10,
    peer: Math.round(median(peer) * 10) / 10,
    unit: 'ms',
    ratio: Math.round(ratio * 100) / 100,
    target: `≤ ${limit} ×`,
    met: ratio <= limit,
    runs: setup.runs,
  };
}

async function startBuilder(address: string): Promise<ChildProcess> {
  const builder = fork(fileURLToPath(new URL('builder.ts', import.meta.url)), [address], {
    execArgv: ['--import', 'tsx'],
  });
  await once(builder, 'message');
  return builder;
}

export async function benchBuildKit(options: BenchBuildKitOptions = {}): Promise<BenchRow[]> {
  const daemon = await startBuildKit({ buildkitd: await part('buildkitd'), runc: await part('runc') });
  const client = connectBuildKit(daemon.address);
  const builder = await startBuilder(daemon.address);
  const setup: Setup = {
    address: daemon.address,
    client,
    builder,
    buildctl: await part('buildctl'),
    runs: options.runs ?? 10,
  };
  const rows: BenchRow[] = [];
  try {
    for (const one of cases) {
      const row = await measure(setup, one);
      options.note?.(`${row.id}: ours ${row.ours} ms, buildctl ${String(row.peer)} ms, ${String(row.ratio)} ×`);
      rows.push(row);
    }
  } finally {
    builder.disconnect();
    client.close();
    await daemon.stop();
  }
  return rows;
}
