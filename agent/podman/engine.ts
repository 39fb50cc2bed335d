/** The container engine of this node, found or started, as the loop uses it; and its end. */
import { readFile } from 'node:fs/promises';
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import { labelNames } from '../../core/plan/labels.ts';
import { removeCgroup, type CgroupHost } from '../cgroup/cgroup.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import type { Opener } from '../keys/opener.ts';
import type { Bridge } from '../network/bridge.ts';
import { isDiskFull } from '../node/resources.ts';
import { findProgram } from '../process/find-program.ts';
import { diagnosePull } from '../registry/diagnose.ts';
import { ulimitsFrom } from './containers-conf.ts';
import { executor, type Execute } from './execute.ts';
import { networkKeeper, type EnsureNetwork } from './network.ts';
import { observer, type Observe } from './observe.ts';
import { podman, type Podman } from './podman.ts';
import { containerCgroup, engineHost, startEngineService, type EngineLifetime } from './service.ts';
import { engineSocket } from './socket.ts';

export type EngineChoice =
  /** Somebody else runs it; its containers outlive the agent. */
  { kind: 'socket'; path: string } | { kind: 'supervised'; lifetime: EngineLifetime };

export interface EngineOptions {
  choice: EngineChoice;
  dataDir: string;
  /** Of the containers. */
  bridge: Pick<Bridge, 'name' | 'remove'>;
  env: Readonly<Record<string, string>>;
  opener: Opener;
  /** Told of each image before it is pulled. */
  onPull: (image: string) => Promise<void>;
  /** What the engine says. */
  onLine: (line: string) => void;
  log: (line: string) => void;
}

export interface Engine {
  readonly podman: Podman;
  readonly ensureNetwork: EnsureNetwork;
  readonly observe: Observe;
  readonly execute: Execute;
  readonly version: string;
  /** Leaves containers alone, or takes everything away, as the choice was. */
  readonly close: () => Promise<void>;
}

const networkName: ExpectedState['network']['name'] = 'landfall';

export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { choice, dataDir, env, log } = options;
  if (choice.kind === 'supervised') requireRoot();
  const host = await engineHost(async (name) => (await findProgram(name, env)) !== null);
  const pidMax = Number(await readFile('/proc/sys/kernel/pid_max', 'utf8'));
  const ulimits = ulimitsFrom(await readFile('/proc/self/limits', 'utf8'), pidMax);
  const service =
    choice.kind === 'supervised'
      ? await startEngineService({
          dataDir,
          lifetime: choice.lifetime,
          host,
          ulimits,
          env,
          onLine: options.onLine,
          log,
        })
      : null;
  const socket = engineSocket(choice.kind === 'socket' ? choice.path : (service?.socketPath ?? ''));
  const engine = podman(socket);
  const ensureNetwork = networkKeeper(engine, options.bridge);
  const lifetime = choice.kind === 'supervised' ? choice.lifetime : 'outlives_agent';
  const cgroupParent = choice.kind === 'socket' ? null : containerCgroup({ dataDir, host, lifetime });
  const cgroups: CgroupHost = { version: host.cgroupVersion, mount: '/sys/fs/cgroup' };
  return {
    podman: engine,
    version: await engine.version(),
    ensureNetwork,
    observe: observer({ podman: engine, network: networkName, procRoot: service?.procRoot ?? (() => '/proc') }),
    execute: executor({
      podman: engine,
      ensureNetwork,
      ulimits,
      cgroupParent,
      openSecrets: options.opener.secrets,
      openCredentials: options.opener.credentials,
      onPull: options.onPull,
      diagnosePull,
      diskFull: () => isDiskFull(dataDir),
    }),
    close: async () => {
      if (lifetime === 'ends_with_agent') await removeEverything(engine);
      socket.close();
      await service?.stop();
      if (lifetime === 'ends_with_agent' && cgroupParent !== null) await removeCgroup(cgroups, cgroupParent);
    },
  };
}

function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new StalledError(
    'not_root',
    'The agent runs as root: it makes containers with addresses and limits of their own.',
    {
      hint: 'Start it with sudo, or give it the socket of a Podman that runs as root with --podman-socket.',
    },
  );
}

/** Our containers and network; images stay, so that the next start is quick. */
async function removeEverything(engine: Podman): Promise<void> {
  const ours = await engine.list(labelNames.allocationId);
  await Promise.all(ours.map(({ Id }) => engine.remove(Id)));
  await engine.removeNetwork(networkName);
}
