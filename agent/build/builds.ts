/** The builds of a node: its BuildKit, the runner that takes offered work, and what they need. */
import os from 'node:os';
import path from 'node:path';
import { rm } from 'node:fs/promises';
import type { RegistryAccess } from '../../core/contract/expected-state.ts';
import type { Capability, NodeResources } from '../../core/contract/status.ts';
import type { WorkOffer } from '../../core/contract/work.ts';
import type { CgroupHost } from '../cgroup/cgroup.ts';
import type { Control } from '../control/control.ts';
import type { Opener } from '../keys/opener.ts';
import type { LogShipper } from '../logs/shipper.ts';
import type { Clock } from '../loop/clock.ts';
import { nodeResources } from '../node/resources.ts';
import { cgroupVersion } from '../cgroup/version.ts';
import { instanceName } from '../storage/instance.ts';
import { openBuilder, type BuilderChoice } from './builder.ts';
import { confiner, unconfined } from './confine.ts';
import { stepsCgroup } from './daemon/daemon.ts';
import { LayerCache } from './layer-cache.ts';
import { buildPressure, buildSlots } from './pressure.ts';
import { BuildRunner } from './runner.ts';
import { buildWork } from './work.ts';

export interface BuildsOptions {
  choice: BuilderChoice;
  control: Pick<Control, 'claim' | 'renew' | 'finish'>;
  opener: Opener;
  shipper: LogShipper;
  clock: Clock;
  random: () => number;
  dataDir: string;
  env: Readonly<Record<string, string>>;
  registries: () => readonly RegistryAccess[];
  /** Whether builds can be made here has changed. */
  onChange: () => void;
  /** What the daemon says. */
  onLine: (line: string) => void;
  log: (line: string) => void;
}

export interface Builds {
  readonly offer: (offers: readonly WorkOffer[]) => void;
  readonly capabilities: () => Capability[];
  /** Builds that it makes at once on a machine with these resources left. */
  readonly slots: (resources: NodeResources) => number;
  readonly close: () => Promise<void>;
}

/** The share of a machine's memory that all builds together, and the daemon, may use. */
const memoryShare = 0.75;
const cacheDelayMs = 5_000;

export async function startBuilds(options: BuildsOptions): Promise<Builds> {
  const { dataDir, env, log, clock } = options;
  const cgroups: CgroupHost = { version: await cgroupVersion(), mount: '/sys/fs/cgroup' };
  const cgroup = `/landfall-${instanceName(dataDir)}-builds`;
  const workDir = path.join(dataDir, 'sources');
  // Checkouts of builds that were cut off by the end of an earlier agent.
  await rm(workDir, { recursive: true, force: true });
  // On a small machine one build at a time is quicker than two that wait for each other.
  const concurrency = os.availableParallelism() <= 2 ? 1 : 2;
  const builder = openBuilder(
    {
      ...{ choice: options.choice, dataDir, env, cgroups, cgroup, concurrency, log, onLine: options.onLine },
      memoryBytes: Math.floor(os.totalmem() * memoryShare),
      insecureRegistries: () => options.registries().flatMap(({ host, insecure }) => (insecure ? [host] : [])),
    },
    options.onChange,
  );
  const cache = new LayerCache({ clock, delayMs: cacheDelayMs, log });
  const pressure = async (): Promise<string | null> =>
    buildPressure(await nodeResources({ dataDir, engineVersion: null }));
  const runner = new BuildRunner({
    ...{ control: options.control, clock, random: options.random, concurrency, log, pressure },
    build: buildWork({
      opener: options.opener,
      shipper: options.shipper,
      confine: options.choice.kind === 'supervised' ? confiner(cgroups, stepsCgroup(cgroup)) : unconfined,
      cache,
      builder: builder.client,
      source: { cacheDir: path.join(dataDir, 'git'), workDir, env },
      clock,
    }),
  });
  return {
    offer: (offers) => {
      if (builder.isReady()) runner.offer(offers);
    },
    capabilities: () => (builder.isReady() ? ['build'] : []),
    slots: (resources) => (builder.isReady() ? buildSlots(resources, concurrency) : 0),
    close: async () => {
      await runner.stop();
      await cache.stop();
      await builder.close();
    },
  };
}
