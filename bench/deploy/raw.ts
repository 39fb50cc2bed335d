/** The same commit without the platform: buildctl, push, pull and start, on the daemon, registry and engine that the agent uses. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { containerCreate } from '../../agent/podman/container-create.ts';
import { podman, type Podman } from '../../agent/podman/podman.ts';
import { engineSocket } from '../../agent/podman/socket.ts';
import { socketPathFor } from '../../agent/storage/socket-path.ts';
import type { ExpectedContainer } from '../../core/contract/expected-state.ts';
import { resolveTool } from '../../cli/tools/resolve.ts';
import { answersAt } from './answers.ts';

const run = promisify(execFile);

/** Below what this machine allows the engine itself. */
const ulimits = [
  { type: 'nofile', soft: 1_024, hard: 4_096 },
  { type: 'nproc', soft: 1_024, hard: 4_096 },
] as const;

export interface RawOptions {
  /** Of the local Landfall. */
  dataDir: string;
  registry: { host: string; username: string; password: string };
  /** Working tree to build. */
  context: string;
  /** As the agent would be told it; image and address are replaced. */
  expected: ExpectedContainer;
  /** An address of the node that nobody has. */
  ip: string;
}

/** Milliseconds of each step. */
export interface RawTimes {
  build: number;
  pull: number;
  start: number;
}

async function buildAndPush(options: RawOptions): Promise<string> {
  const { registry, context, dataDir } = options;
  const dockerConfig = path.join(dataDir, 'bench-docker-config');
  mkdirSync(dockerConfig, { recursive: true });
  const auth = Buffer.from(`${registry.username}:${registry.password}`).toString('base64');
  writeFileSync(path.join(dockerConfig, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  const metadata = path.join(dockerConfig, 'metadata.json');
  const { path: buildctl } = await resolveTool('buildctl');
  const address = `unix://${socketPathFor(path.join(dataDir, 'agent'), 'buildkitd.sock')}`;
  const output = `type=image,name=${registry.host}/bench/raw:latest,push=true`;
  await run(
    buildctl,
    [
      ...['--addr', address, 'build', '--frontend', 'dockerfile.v0', '--metadata-file', metadata],
      ...['--local', `context=${context}`, '--local', `dockerfile=${context}`, '--output', output],
    ],
    { env: { DOCKER_CONFIG: dockerConfig, HOME: dockerConfig, PATH: '/usr/bin:/bin' } },
  );
  const written = JSON.parse(readFileSync(metadata, 'utf8')) as { 'containerimage.digest': string };
  return `${registry.host}/bench/raw@${written['containerimage.digest']}`;
}

async function start(engine: Podman, options: RawOptions, image: string): Promise<string> {
  const { expected, ip } = options;
  const { labels: _labels, ...body } = containerCreate(
    { ...expected, image, ip },
    { network: 'landfall', dnsServer: null, secrets: {}, ulimits, cgroupParent: null },
  );
  const id = await engine.create({ ...body, name: 'bench-raw' });
  await engine.start(id);
  return id;
}

/** Builds, pushes, pulls, starts, waits for the first answer, and removes the container. */
export async function deployRaw(options: RawOptions): Promise<RawTimes> {
  const engine = podman(engineSocket(socketPathFor(path.join(options.dataDir, 'agent'), 'podman.sock')));
  const began = performance.now();
  const image = await buildAndPush(options);
  const built = performance.now();
  const { username, password } = options.registry;
  await engine.pull({
    image,
    insecure: true,
    credentials: { username, password },
    signal: AbortSignal.timeout(60_000),
  });
  const pulled = performance.now();
  const id = await start(engine, options, image);
  try {
    await answersAt(`http://${options.ip}:${options.expected.port ?? 80}/healthz`);
    return { build: built - began, pull: pulled - built, start: performance.now() - pulled };
  } finally {
    await engine.remove(id);
  }
}
