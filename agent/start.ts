/** Puts an agent together from its parts and runs it until it is stopped. In tests it runs inside the test's process. */
import { randomUUID } from 'node:crypto';
import type { Logger } from '../platform/log/log.ts';
import { Releasers, type ReleaseFailure } from '../platform/lifecycle/releasers.ts';
import type { KeyPair } from '../platform/crypto/keys.ts';
import type { BuilderChoice } from './build/builder.ts';
import { startBuilds } from './build/builds.ts';
import { control } from './control/control.ts';
import { expectedCache, forgetExpected } from './control/expected-cache.ts';
import { expectedSource } from './control/expected-source.ts';
import { confirm, register } from './control/register.ts';
import { signer } from './control/sign.ts';
import { controlTransport, type Transport } from './control/transport.ts';
import { identityFile, type Registration } from './keys/identity.ts';
import { opener, type Opener } from './keys/opener.ts';
import { cursorFile } from './logs/cursors.ts';
import { logShipper } from './logs/shipper.ts';
import { alarm } from './loop/alarm.ts';
import { systemClock } from './loop/clock.ts';
import { defaultLimits, type PassLimits } from './loop/pass.ts';
import { startLoop } from './loop/start.ts';
import { openEngine, type EngineChoice } from './podman/engine.ts';
import { pulledImages } from './podman/pulled-images.ts';
import { keepBridge } from './network/bridge.ts';
import { networkShell } from './network/shell.ts';
import { partCapabilities } from './parts/parts.ts';
import { openParts, type MeshChoice, type ProxyChoice } from './parts/open.ts';
import { runDirFor } from './storage/instance.ts';
import { lockDirectory } from './storage/lock.ts';
import { startTidying } from './tidy.ts';

export interface AgentOptions {
  /** Of the control plane. */
  url: string;
  /** For the first start, and for one after a removal; left aside when the node registered with it. */
  token: string | null;
  kind: 'worker' | 'proxy';
  dataDir: string;
  engine: EngineChoice;
  builder: BuilderChoice;
  /** Name of the containers' bridge; two agents on one machine use two. */
  bridge: string;
  mesh: MeshChoice;
  proxy: ProxyChoice;
  /** For the programs that the agent starts: PATH, HOME, proxies. */
  env: Readonly<Record<string, string>>;
  agentVersion: string;
  log: Logger;
  limits?: PassLimits;
}

export interface RunningAgent {
  readonly nodeId: string;
  readonly name: string;
  /** Ends everything the agent started; containers end too when the engine was to end with the agent. */
  readonly stop: () => Promise<ReleaseFailure[]>;
}

/** How long the control plane may hold a poll: with it a node is looked at and reported at least this often. */
const pollMs = 10_000;
const releaseDeadlineMs = 30_000;

/** Rejects with StalledError when a person has to do something first; nothing is left running then. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const releasers = new Releasers(releaseDeadlineMs);
  try {
    return await assemble(options, releasers);
  } catch (error) {
    await releasers.releaseAll();
    throw error;
  }
}

async function assemble(options: AgentOptions, releasers: Releasers): Promise<RunningAgent> {
  const { identity, node } = await ownIdentity(options, releasers);
  const transport = controlTransport(options.url, signer(node.nodeId, identity.keys.signing));
  releasers.defer('transport', transport.close);
  const { sealing, wireguard } = identity.keys;
  await startParts({ options, node, transport, opener: opener(sealing), wireguardKeys: wireguard }, releasers);
  return { nodeId: node.nodeId, name: node.name, stop: () => releasers.releaseAll() };
}

/** Registers this node, unless it is, sees that it is one at the control plane too, and ends. */
export async function registerNode(options: AgentOptions): Promise<Registration['node']> {
  const releasers = new Releasers(releaseDeadlineMs);
  try {
    const { identity, node } = await ownIdentity(options, releasers);
    const transport = controlTransport(options.url, signer(node.nodeId, identity.keys.signing));
    releasers.defer('transport', transport.close);
    await confirm(node, { control: control(transport), log: (line) => options.log.warn(line) });
    return node;
  } finally {
    await releasers.releaseAll();
  }
}

async function ownIdentity(options: AgentOptions, releasers: Releasers) {
  const lock = await lockDirectory(options.dataDir);
  releasers.defer('lock', lock.release);
  const file = identityFile(options.dataDir);
  const identity = await file.load();
  const unsigned = controlTransport(options.url, () => ({}));
  releasers.defer('registration transport', unsigned.close);
  const { node } = await register(identity, {
    ...options,
    file,
    forget: () => forgetExpected(options.dataDir),
    control: control(unsigned),
    random: Math.random,
    clock: systemClock,
    log: (line) => options.log.warn(line),
  });
  return { identity, node };
}

interface Parts {
  options: AgentOptions;
  node: Registration['node'];
  transport: Transport;
  opener: Opener;
  wireguardKeys: KeyPair;
}

async function startParts(
  { options, node, transport, opener, wireguardKeys }: Parts,
  releasers: Releasers,
): Promise<void> {
  const { dataDir, env } = options;
  const log = (line: string): void => options.log.info(line);
  const warn = (line: string): void => options.log.warn(line);
  const onLine = (line: string): void => options.log.debug(line);
  const shared = { clock: systemClock, random: Math.random, log: warn };
  const api = control(transport);
  const bell = alarm(systemClock);
  // The first report of an epoch ends the leases of the one before: what is claimed earlier would end with them.
  let epochIsKnown = false;

  const pulled = await pulledImages(dataDir, warn);
  const shell = networkShell(env);
  const bridge = keepBridge(shell, options.bridge);
  const engine = await openEngine({
    choice: options.engine,
    dataDir,
    bridge,
    env,
    opener,
    onPull: (image) => pulled.note(image, systemClock.now()),
    onLine,
    log: warn,
  });
  releasers.defer('engine', engine.close);
  const shipper = logShipper({ ...shared, send: api.logs });
  releasers.defer('logs', shipper.stop);
  const expected = await expectedSource({
    ...shared,
    control: api,
    cache: expectedCache(dataDir, node.nodeId, warn),
    waitMs: pollMs,
    onAnswer: (state) => {
      if (epochIsKnown) builds.offer(state.work);
      bell.ring('expected_state');
    },
  });
  releasers.defer('expected state', expected.stop);
  const builds = await startBuilds({
    ...shared,
    choice: options.builder,
    control: api,
    opener,
    shipper,
    dataDir,
    env,
    registries: () => expected.current()?.registries ?? [],
    onChange: () => bell.ring('work'),
    onLine,
  });
  releasers.defer('builds', builds.close);
  const parts = await openParts(
    {
      ...options,
      ...{
        shell,
        bridge,
        ensureNetwork: engine.ensureNetwork,
        opener,
        keys: wireguardKeys,
        runDir: runDirFor(dataDir),
        log,
      },
      endsWithAgent: options.engine.kind === 'supervised' && options.engine.lifetime === 'ends_with_agent',
    },
    releasers,
  );
  const loop = await startLoop({
    ...shared,
    parts,
    epoch: randomUUID(),
    agentVersion: options.agentVersion,
    limits: options.limits ?? defaultLimits,
    engine,
    control: api,
    expected,
    shipper,
    opener,
    cursors: cursorFile(dataDir),
    dataDir,
    alarm: bell,
    capabilities: () => [...builds.capabilities(), ...partCapabilities(expected.current())],
    buildSlots: builds.slots,
    publicAddress: transport.localAddress,
    wireguard: { listenPort: options.mesh.listenPort, endpoint: options.mesh.endpoint },
    onWork: (offers) => {
      epochIsKnown = true;
      builds.offer(offers);
    },
    note: log,
    lookEveryMs: pollMs,
  });
  releasers.defer('loop', loop.stop);
  const { podman } = engine;
  const stopTidying = startTidying({ ...shared, podman, pulled, expected: expected.current, dataDir, env, note: log });
  releasers.defer('tidying', stopTidying);
}
