/** Puts an agent together: its parts are started in order, each with what it needs of those before it. */
import { randomUUID } from 'node:crypto';
import type { WorkOffer } from '../core/contract/work.ts';
import type { KeyPair } from '../platform/crypto/keys.ts';
import type { Releasers } from '../platform/lifecycle/releasers.ts';
import { startBuilds, type Builds } from './build/builds.ts';
import { control, type Control } from './control/control.ts';
import { expectedCache } from './control/expected-cache.ts';
import { expectedSource, type ExpectedSource } from './control/expected-source.ts';
import type { Transport } from './control/transport.ts';
import type { Registration } from './keys/identity.ts';
import type { Opener } from './keys/opener.ts';
import { cursorFile } from './logs/cursors.ts';
import { logShipper, type LogShipper } from './logs/shipper.ts';
import { alarm, type Alarm } from './loop/alarm.ts';
import { systemClock } from './loop/clock.ts';
import { defaultLimits } from './loop/pass.ts';
import { startLoop } from './loop/start.ts';
import { keepBridge, type Bridge } from './network/bridge.ts';
import { networkShell, type Shell } from './network/shell.ts';
import type { AgentOptions } from './options.ts';
import { openParts } from './parts/open.ts';
import { partCapabilities, type NodeParts } from './parts/parts.ts';
import { openEngine, type Engine } from './podman/engine.ts';
import { pulledImages, type PulledImages } from './podman/pulled-images.ts';
import { runDirFor } from './storage/instance.ts';
import { startTidying } from './tidy.ts';

export interface Given {
  options: AgentOptions;
  node: Registration['node'];
  transport: Transport;
  opener: Opener;
  wireguardKeys: KeyPair;
}

/** What all parts have in common. */
interface Base extends Given {
  releasers: Releasers;
  api: Control;
  bell: Alarm;
  shared: { clock: typeof systemClock; random: () => number; log: (line: string) => void };
  note: (line: string) => void;
  onLine: (line: string) => void;
}

interface Containers {
  engine: Engine;
  pulled: PulledImages;
  bridge: Bridge;
  shell: Shell;
}

interface Work {
  shipper: LogShipper;
  expected: ExpectedSource;
  builds: Builds;
  onWork: (offers: readonly WorkOffer[]) => void;
}

/** How long the control plane may hold a poll: with it a node is looked at and reported at least this often. */
const pollMs = 10_000;

export async function assemble(given: Given, releasers: Releasers): Promise<void> {
  const { log } = given.options;
  const base: Base = {
    ...given,
    releasers,
    api: control(given.transport),
    bell: alarm(systemClock),
    shared: { clock: systemClock, random: Math.random, log: (line) => log.warn(line) },
    note: (line) => log.info(line),
    onLine: (line) => log.debug(line),
  };
  const containers = await startEngine(base);
  const work = await startWork(base);
  const parts = await startParts(base, containers);
  await startOwnLoop(base, { ...containers, ...work, parts });
  tidy(base, { ...containers, ...work });
}

async function startEngine({ options, opener, releasers, shared, onLine }: Base): Promise<Containers> {
  const { dataDir, env } = options;
  const pulled = await pulledImages(dataDir, shared.log);
  const shell = networkShell(env);
  const bridge = keepBridge(shell, options.bridge);
  const engine = await openEngine({
    ...{ choice: options.engine, dataDir, bridge, env, opener, onLine, log: shared.log },
    onPull: (image) => pulled.note(image, shared.clock.now()),
  });
  releasers.defer('engine', engine.close);
  return { engine, pulled, bridge, shell };
}

/** What comes from the control plane, and what goes there. */
async function startWork({ options, node, opener, releasers, api, bell, shared, onLine }: Base): Promise<Work> {
  const { dataDir, env } = options;
  // The first report of an epoch ends the leases of the one before: what is claimed earlier would end with them.
  let epochIsKnown = false;
  const shipper = logShipper({ ...shared, send: api.logs });
  releasers.defer('logs', shipper.stop);
  const expected = await expectedSource({
    ...shared,
    control: api,
    cache: expectedCache(dataDir, node.nodeId, shared.log),
    waitMs: pollMs,
    onAnswer: (state) => {
      if (epochIsKnown) builds.offer(state.work);
      bell.ring('expected_state');
    },
  });
  releasers.defer('expected state', expected.stop);
  const builds = await startBuilds({
    ...{ ...shared, choice: options.builder, control: api, opener, shipper, dataDir, env, onLine },
    registries: () => expected.current()?.registries ?? [],
    onChange: () => bell.ring('work'),
  });
  releasers.defer('builds', builds.close);
  const onWork = (offers: readonly WorkOffer[]): void => {
    epochIsKnown = true;
    builds.offer(offers);
  };
  return { shipper, expected, builds, onWork };
}

function startParts(base: Base, { shell, bridge, engine }: Containers): Promise<NodeParts> {
  const { options, opener, wireguardKeys, note, releasers } = base;
  return openParts(
    {
      ...options,
      ...{ shell, bridge, ensureNetwork: engine.ensureNetwork, opener, keys: wireguardKeys, log: note },
      runDir: runDirFor(options.dataDir),
      endsWithAgent: options.engine.kind === 'supervised' && options.engine.lifetime === 'ends_with_agent',
    },
    releasers,
  );
}

async function startOwnLoop(base: Base, own: Containers & Work & { parts: NodeParts }): Promise<void> {
  const { options, transport, opener, releasers, api, bell, shared, note } = base;
  const { builds, engine, expected, onWork, parts, shipper } = own;
  const { dataDir, mesh } = options;
  const loop = await startLoop({
    ...{ ...shared, note, control: api, alarm: bell, opener, dataDir, engine, expected, parts, shipper, onWork },
    epoch: randomUUID(),
    agentVersion: options.agentVersion,
    limits: options.limits ?? defaultLimits,
    cursors: cursorFile(dataDir),
    capabilities: () => [...builds.capabilities(), ...partCapabilities(expected.current())],
    buildSlots: builds.slots,
    publicAddress: transport.localAddress,
    wireguard: { listenPort: mesh.listenPort, endpoint: mesh.endpoint },
    lookEveryMs: pollMs,
  });
  releasers.defer('loop', loop.stop);
}

function tidy({ options, releasers, shared, note }: Base, { engine, expected, pulled }: Containers & Work): void {
  const { dataDir, env } = options;
  const { podman } = engine;
  const stop = startTidying({ ...shared, podman, pulled, expected: expected.current, dataDir, env, note });
  releasers.defer('tidying', stop);
}
