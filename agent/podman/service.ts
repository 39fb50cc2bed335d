/** Runs the container engine's API service for an agent that was given none: its own storage, sockets and configuration. */
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { StalledError } from '../../platform/errors/errors.ts';
import { ifThere } from '../../platform/files/if-there.ts';
import { cgroupVersion } from '../cgroup/version.ts';
import { systemClock } from '../loop/clock.ts';
import { startChild, type Child } from '../process/child.ts';
import { renderInitScript, runtimeStateDirectory, type Containment } from '../process/containment.ts';
import { cgroupManagerFor, renderContainersConf, runtimeFor, type EngineHost } from './containers-conf.ts';
import { linesSaid } from '../process/lines-said.ts';
import { untilReady } from '../process/ready.ts';
import { supervise } from '../process/supervise.ts';
import type { Ulimit } from './container-create.ts';
import { podman } from './podman.ts';
import { instanceName } from '../storage/instance.ts';
import { socketPathFor } from '../storage/socket-path.ts';
import { engineSocket } from './socket.ts';

/** Whether containers outlive the agent: yes on a server, no where everything is to end with one command. */
export type EngineLifetime = 'outlives_agent' | 'ends_with_agent';

export interface EngineServiceOptions {
  dataDir: string;
  lifetime: EngineLifetime;
  host: EngineHost;
  ulimits: readonly Ulimit[];
  env: Readonly<Record<string, string>>;
  /** What the engine says. */
  onLine: (line: string) => void;
  /** What has become of it. */
  log: (line: string) => void;
}

export interface EngineService {
  readonly socketPath: string;
  /** `/proc` in which the engine's pids are valid. */
  readonly procRoot: () => string;
  readonly stop: () => Promise<void>;
}

/** What the engine and its runtime keep machine-wide: locks, alive marks, address books, network namespaces, containers. */
const machineWide = (host: EngineHost): string[] => [
  ...['/dev/shm', '/run/containers', '/run/libpod', '/run/netns'],
  runtimeStateDirectory(runtimeFor(host)),
];
const readyWithinMs = 20_000;

export function engineHostFor(host: EngineHost, lifetime: EngineLifetime): EngineHost {
  // In a pid namespace systemd would be told pids that are not the machine's.
  return lifetime === 'ends_with_agent' ? { ...host, systemd: false } : host;
}

/** The cgroup above every container; null where systemd arranges them. */
export function containerCgroup(options: Pick<EngineServiceOptions, 'dataDir' | 'host' | 'lifetime'>): string | null {
  const host = engineHostFor(options.host, options.lifetime);
  return cgroupManagerFor(host) === 'systemd' ? null : `/landfall-${instanceName(options.dataDir)}`;
}

export function engineArgv(options: { dataDir: string; lifetime: EngineLifetime; socketPath: string }): string[] {
  const contained = options.lifetime === 'ends_with_agent';
  const runDir = contained ? '/run' : `/run/landfall-${instanceName(options.dataDir)}`;
  return [
    ...['podman', '--log-level', 'warn'],
    ...['--root', path.join(options.dataDir, 'containers')],
    ...['--runroot', `${runDir}/containers/storage`],
    ...['--tmpdir', `${runDir}/libpod`],
    ...['--network-config-dir', path.join(options.dataDir, 'networks')],
    ...['system', 'service', '--time', '0', `unix://${options.socketPath}`],
  ];
}

export async function startEngineService(options: EngineServiceOptions): Promise<EngineService> {
  const socketPath = socketPathFor(options.dataDir, 'podman.sock');
  const config = path.join(options.dataDir, 'containers.conf');
  const initScript = path.join(options.dataDir, 'init.sh');
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  await rm(socketPath, { force: true });
  await writeFile(config, renderContainersConf(engineHostFor(options.host, options.lifetime), options.ulimits));
  await writeFile(initScript, renderInitScript());
  const containment: Containment =
    options.lifetime === 'ends_with_agent'
      ? { kind: 'contained', initScript, privateDirectories: machineWide(options.host), cgroupProcs: [] }
      : { kind: 'kept' };
  const said = linesSaid(20);
  const onLine = (line: string): void => {
    said.add(line);
    options.onLine(line);
  };
  const start = (): Child =>
    startChild({
      argv: engineArgv({ dataDir: options.dataDir, lifetime: options.lifetime, socketPath }),
      env: { ...options.env, CONTAINERS_CONF: config },
      containment,
      onLine,
    });
  const child = start();
  const socket = engineSocket(socketPath);
  const { ping } = podman(socket);
  await untilReady({ child, withinMs: readyWithinMs, ping, notReady: (cause) => notReady(said.last(3), cause) });
  socket.close();
  const what = 'The container engine';
  const service = supervise(child, { what, start, clock: systemClock, pauseMs: 1_000, log: options.log });
  return { socketPath, procRoot: service.procRoot, stop: () => service.stop(10_000) };
}

function notReady(said: string, cause: unknown): StalledError {
  return new StalledError('engine_unavailable', `The container engine (podman system service) did not start. ${said}`, {
    hint: 'Install podman, netavark and runc (Debian: apt-get install podman netavark runc), run as root, and start again.',
    cause,
  });
}

/** Facts about this machine for the engine's configuration. */
export async function engineHost(findOnPath: (name: string) => Promise<boolean>): Promise<EngineHost> {
  const [crun, runc] = await Promise.all([findOnPath('crun'), findOnPath('runc')]);
  return {
    cgroupVersion: await cgroupVersion(),
    systemd: await isDirectory('/run/systemd/system'),
    runtimes: [...(crun ? (['crun'] as const) : []), ...(runc ? (['runc'] as const) : [])],
  };
}

async function isDirectory(name: string): Promise<boolean> {
  return (await ifThere(stat(name)))?.isDirectory() ?? false;
}
