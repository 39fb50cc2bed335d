/** Starts real daemons for tests: a BuildKit of its own and a registry with a password, each in a temporary folder. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, open, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { hash } from 'bcryptjs';
import { connectBuildKit } from './client.ts';
import { BuildError, type BuildProblem } from './errors.ts';
import type { SolveRequest } from './solve-request.ts';

const run = promisify(execFile);

export interface Daemon {
  readonly process: ChildProcess;
  readonly logFile: string;
  stop(): Promise<void>;
}

export interface BuildKitDaemon extends Daemon {
  readonly address: string;
}

export interface RegistryDaemon extends Daemon {
  /** `127.0.0.1:port` */
  readonly host: string;
  readonly storage: string;
}

export interface TestUser {
  readonly username: string;
  readonly password: string;
}

export async function temporaryFolder(name: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `landfall-${name}-`));
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('The probe for a free port got no port.');
  return address.port;
}

async function startProcess(command: string, args: readonly string[], logFile: string): Promise<ChildProcess> {
  const log = await open(logFile, 'a');
  const child = spawn(command, args, { stdio: ['ignore', log.fd, log.fd] });
  await once(child, 'spawn');
  await log.close();
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  // A process that a test has stopped does not notice a signal until it goes on.
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(timer);
}

/** Processes in a mount namespace of their own that holds something below the folder: containers that outlived their daemon. */
async function containersBelow(folder: string): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const ours = await readlink('/proc/self/ns/mnt');
  const found: number[] = [];
  for (const pid of pids) {
    const [namespace, mounts] = await Promise.all([
      readlink(`/proc/${pid}/ns/mnt`).catch(() => ours),
      readFile(`/proc/${pid}/mountinfo`, 'utf8').catch(() => ''),
    ]);
    if (namespace !== ours && mounts.includes(folder)) found.push(Number(pid));
  }
  return found;
}

/** What a daemon that was killed leaves behind: its containers and its mounts. */
async function clearAway(folder: string): Promise<void> {
  for (const pid of await containersBelow(folder)) process.kill(pid, 'SIGKILL');
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.filter((path) => path.startsWith(`${folder}/`)).reverse()) {
    await run('umount', ['-l', mount]);
  }
  await rm(folder, { recursive: true, force: true });
}

/** Repeats until `ready` resolves; fails with the log when the process ends or the time is up. */
async function untilReady(child: ChildProcess, logFile: string, ready: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; attempt < 150 && child.exitCode === null; attempt++) {
    try {
      await ready();
      return;
    } catch {
      await delay(100);
    }
  }
  await end(child);
  throw new Error(`The process did not become ready. Its log:\n${await readFile(logFile, 'utf8')}`);
}

export interface BuildKitOptions {
  readonly buildkitd: string;
  readonly runc: string;
  /** Registries that speak plain HTTP. */
  readonly plainRegistries?: readonly string[];
  /** Where the daemon keeps its state; a temporary folder without it. */
  readonly root?: string;
}

function buildKitConfig(folder: string, options: BuildKitOptions): string {
  const registries = (options.plainRegistries ?? []).map((host) => `[registry."${host}"]\nhttp = true\n`);
  return [
    `root = "${options.root ?? join(folder, 'root')}"`,
    '[grpc]',
    `address = ["unix://${folder}/buildkitd.sock"]`,
    '[worker.oci]',
    `binary = "${options.runc}"`,
    'networkMode = "host"',
    '[worker.containerd]',
    'enabled = false',
    ...registries,
  ].join('\n');
}

export async function startBuildKit(options: BuildKitOptions): Promise<BuildKitDaemon> {
  const folder = await temporaryFolder('buildkit');
  const config = join(folder, 'buildkitd.toml');
  const logFile = join(folder, 'log');
  await writeFile(config, buildKitConfig(folder, options));
  const child = await startProcess(options.buildkitd, ['--config', config], logFile);
  const address = `unix://${folder}/buildkitd.sock`;
  const client = connectBuildKit(address);
  await untilReady(child, logFile, () => client.info());
  client.close();
  return {
    address,
    process: child,
    logFile,
    async stop() {
      await end(child);
      await clearAway(folder);
    },
  };
}

/** Debian's docker-registry takes only bcrypt in its password file. */
export async function startRegistry(binary: string, user: TestUser | null): Promise<RegistryDaemon> {
  const folder = await temporaryFolder('registry');
  const host = `127.0.0.1:${await freePort()}`;
  const storage = join(folder, 'storage');
  const passwords = join(folder, 'htpasswd');
  const logFile = join(folder, 'log');
  const config = {
    version: '0.1',
    storage: { filesystem: { rootdirectory: storage } },
    http: { addr: host },
    ...(user === null ? {} : { auth: { htpasswd: { realm: 'test', path: passwords } } }),
  };
  if (user !== null) await writeFile(passwords, `${user.username}:${await hash(user.password, 4)}\n`);
  // JSON is YAML.
  await writeFile(join(folder, 'config.yml'), JSON.stringify(config));
  const child = await startProcess(binary, ['serve', join(folder, 'config.yml')], logFile);
  await untilReady(child, logFile, () => fetch(`http://${host}/v2/`));
  return {
    host,
    storage,
    process: child,
    logFile,
    async stop() {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Writes files, by their path below the folder. */
export async function writeTree(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** A context whose image can run commands without any base image: a static busybox under /bin/sh. */
export async function writeBusyboxContext(
  folder: string,
  busybox: string,
  instructions: readonly string[],
): Promise<void> {
  await mkdir(join(folder, 'bin'), { recursive: true });
  await cp(busybox, join(folder, 'bin', 'sh'));
  await writeTree(folder, { Dockerfile: ['FROM scratch', 'COPY bin/sh /bin/sh', ...instructions, ''].join('\n') });
}

/** A build of the Dockerfile in this folder, which is its context too; nothing is exported. */
export function dockerfileRequest(folder: string, changes: Partial<SolveRequest> = {}): SolveRequest {
  return {
    frontend: 'dockerfile.v0',
    frontendAttrs: {},
    localDirs: { context: { path: folder }, dockerfile: { path: folder } },
    exports: [],
    cacheImports: [],
    cacheExports: [],
    secrets: {},
    registryAuth: () => undefined,
    onProgress: () => undefined,
    signal: AbortSignal.timeout(120_000),
    ...changes,
  };
}

/** Why the build failed; fails itself when it did not. */
export async function problemOf(build: Promise<unknown>): Promise<BuildProblem> {
  try {
    await build;
  } catch (error) {
    if (error instanceof BuildError) return error.problem;
    throw error;
  }
  throw new Error('The build succeeded.');
}
