/** Push to serving through the whole line, in turn with the same work by hand; then memory, and how quickly all of it starts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import Type from 'typebox';
import Value from 'typebox/value';
import { followPush, type Landing } from '../../cli/up/follow.ts';
import { startLine, type Line } from '../../cli/up/line.ts';
import { rememberedNetwork, usedAddresses } from '../../cli/up/network.ts';
import { portsFrom } from '../../cli/bootstrap/ports.mjs';
import { registryUser } from '../../cli/up/registry.ts';
import { commitChange, ensureSample, type Sample } from '../../cli/up/sample.ts';
import { loadSecrets } from '../../cli/up/secrets.ts';
import { packageRoot } from '../../cli/root.ts';
import { ExpectedContainer } from '../../core/contract/expected-state.ts';
import { median } from '../median.ts';
import type { BenchRow } from '../row.ts';
import { timedPush } from './push.ts';
import { deployRaw, type RawOptions } from './raw.ts';
import { servedPush, servingStages, type ServedPush } from './served.ts';

const rounds = 11;
const starts = 10;
const firstPort = 7900;
const megabyte = 1e6;

export interface DeployBench {
  rows: BenchRow[];
  /** Markdown: the stages. */
  details: string;
}

interface Landed {
  landing: Landing;
  /** Milliseconds of `git push` itself. */
  pushMs: number;
}

async function land(line: Line, sample: Sample): Promise<Landed> {
  const pushedAt = Date.now();
  const { sha, tookMs } = await timedPush(sample);
  const signal = AbortSignal.timeout(120_000);
  const landing = await followPush(line.api, { sha, pushedAt, signal, onStage: () => undefined });
  return { landing, pushMs: tookMs };
}

const CachedState = Type.Object({ state: Type.Object({ containers: Type.Array(ExpectedContainer) }) });

function expectedContainer(dataDir: string): ExpectedContainer {
  const cached: unknown = JSON.parse(readFileSync(path.join(dataDir, 'agent', 'expected-state.json'), 'utf8'));
  const [container] = Value.Parse(CachedState, cached).state.containers;
  if (container === undefined) throw new Error('The agent has been told of no container.');
  return container;
}

function rawOptions(dataDir: string, sample: Sample): RawOptions {
  const expected = expectedContainer(dataDir);
  return {
    dataDir,
    expected,
    context: sample.directory,
    registry: {
      host: `127.0.0.1:${portsFrom(firstPort).registry}`,
      username: registryUser,
      password: loadSecrets(dataDir).registryPassword,
    },
    ip: expected.ip.replace(/\.\d+$/, '.250'),
  };
}

async function measurePushes(line: Line, dataDir: string): Promise<DeployBench> {
  if (line.sandbox === null) throw new Error('The bench runs on the sandbox GitHub.');
  const sample = await ensureSample(line.sandbox.control, path.join(dataDir, 'sample'));
  await land(line, sample);
  const landings: ServedPush[] = [];
  const raws: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await commitChange(sample, `Ours, round ${round}`);
    const { landing, pushMs } = await land(line, sample);
    landings.push(servedPush(landing, pushMs));
    await commitChange(sample, `By hand, round ${round}`);
    const raw = await deployRaw(rawOptions(dataDir, sample));
    raws.push(raw.build + raw.pull + raw.start);
  }
  const totals = landings.map(({ totalMs }) => totalMs);
  const [ours, peer] = [median(totals), median(raws)];
  const added = median(totals.map((total, index) => total - (raws[index] ?? 0)));
  return {
    rows: [
      {
        id: 'push-to-serving.added',
        ours: added,
        peer: null,
        unit: 'ms',
        ratio: null,
        target: '≤ 1000 ms over the raw build, push, pull and start',
        met: added <= 1_000,
        runs: rounds,
      },
      {
        id: 'push-to-serving.total',
        ours,
        peer,
        unit: 'ms',
        ratio: ours / peer,
        target: '–',
        met: null,
        runs: rounds,
      },
    ],
    details: renderStages(landings),
  };
}

function renderStages(landings: ServedPush[]): string {
  const rows = servingStages.map((stage) => {
    const times = landings.map(({ stages }) => stages[stage]).filter((ms) => ms !== undefined);
    return times.length === 0 ? null : `| ${stage} | ${median(times).toFixed(0)} |`;
  });
  return [
    '## Push to serving, stage by stage',
    '',
    '| until | median ms |',
    '| --- | --- |',
    ...rows.filter(Boolean),
  ].join('\n');
}

function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

function pidOf(line: Line, name: 'server' | 'agent'): number {
  const pid = line.processes.get(name);
  if (pid === undefined) throw new Error(`${name} does not run.`);
  return pid;
}

/** The median of ten readings, half a second apart, after a rest in which the garbage of the work before is collected. */
async function restingMemory(pid: number): Promise<number> {
  await setTimeout(60_000);
  const readings: number[] = [];
  for (let reading = 0; reading < 10; reading++) {
    readings.push(residentBytes(pid));
    await setTimeout(500);
  }
  return median(readings) / megabyte;
}

function memoryRow(id: string, ours: number, most: number): BenchRow {
  const target = `≤ ${most} MB`;
  return { id, ours, peer: null, unit: 'MB', ratio: null, target, met: ours <= most, runs: 10 };
}

const manyReplicas = `services:
  web:
    port: 8080
    health: { path: /healthz, interval: 5s }
    resources: { cpu: 0.02, memory: 16Mi }
    replicas: 50
    stop_grace: 0s
`;

async function measureMemory(line: Line, dataDir: string): Promise<BenchRow[]> {
  const idle = await restingMemory(pidOf(line, 'server'));
  if (line.sandbox === null) throw new Error('The bench runs on the sandbox GitHub.');
  const sample = await ensureSample(line.sandbox.control, path.join(dataDir, 'sample'));
  await commitChange(sample, 'Fifty replicas', { 'landfall.yml': manyReplicas });
  await land(line, sample);
  const agent = await restingMemory(pidOf(line, 'agent'));
  await commitChange(sample, 'One again', { 'landfall.yml': manyReplicas.replace('replicas: 50', 'replicas: 1') });
  await land(line, sample);
  return [memoryRow('memory.server', idle, 250), memoryRow('memory.agent-50-containers', agent, 100)];
}

/** From the start of the command until it says that everything runs. */
async function upOnce(dataDir: string): Promise<number> {
  const cli = path.join(packageRoot(), 'dist', 'cli.js');
  const began = performance.now();
  const child = spawn(process.execPath, [cli, 'up', '--data', dataDir, '--port', String(firstPort)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  const said: string[] = [];
  const ready = new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (text) => {
      said.push(text);
      if (text.startsWith('Console:')) resolve(performance.now() - began);
    });
    child.on('exit', () => reject(new Error(`landfall up ended before it was ready:\n${said.join('\n')}`)));
  });
  try {
    return await ready;
  } finally {
    child.kill('SIGINT');
    await ended;
  }
}

async function measureStarts(dataDir: string): Promise<BenchRow> {
  const times: number[] = [];
  for (let start = 0; start < starts; start++) times.push(await upOnce(dataDir));
  const ours = median(times) / 1_000;
  return {
    id: 'start.second',
    ours,
    peer: null,
    unit: 's',
    ratio: null,
    target: '≤ 3 s',
    met: ours <= 3,
    runs: starts,
  };
}

export async function benchDeploy(note: (measured: unknown) => void = () => undefined): Promise<DeployBench> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'landfall-bench-'));
  try {
    const line = await startLine({
      dataDir,
      ports: portsFrom(firstPort),
      network: rememberedNetwork(dataDir, firstPort, usedAddresses()),
      queueUrl: null,
      github: 'sandbox',
      report: (text) => console.error(`  ${text}`),
      signal: new AbortController().signal,
    });
    let pushes: DeployBench;
    let memory: BenchRow[];
    try {
      pushes = await measurePushes(line, dataDir);
      note(pushes);
      memory = await measureMemory(line, dataDir);
      note(memory);
    } finally {
      await line.stop();
    }
    return { rows: [...pushes.rows, ...memory, await measureStarts(dataDir)], details: pushes.details };
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}
