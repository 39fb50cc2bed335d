/** Starts an agent as the node that it is registered as, and runs it until it is stopped. In tests it runs inside the test's process. */
import { Releasers, type ReleaseFailure } from '../platform/lifecycle/releasers.ts';
import { assemble } from './assemble.ts';
import { control } from './control/control.ts';
import { forgetExpected } from './control/expected-cache.ts';
import { confirm, register } from './control/register.ts';
import { signer } from './control/sign.ts';
import { controlTransport } from './control/transport.ts';
import { identityFile, type Registration } from './keys/identity.ts';
import { opener } from './keys/opener.ts';
import { systemClock } from './loop/clock.ts';
import type { AgentOptions } from './options.ts';
import { lockDirectory } from './storage/lock.ts';

export interface RunningAgent {
  readonly nodeId: string;
  readonly name: string;
  /** Ends everything the agent started; containers end too when the engine was to end with the agent. */
  readonly stop: () => Promise<ReleaseFailure[]>;
}

const releaseDeadlineMs = 30_000;

/** Rejects with StalledError when a person has to do something first; nothing is left running then. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const releasers = new Releasers(releaseDeadlineMs);
  try {
    return await startAsNode(options, releasers);
  } catch (error) {
    await releasers.releaseAll();
    throw error;
  }
}

async function startAsNode(options: AgentOptions, releasers: Releasers): Promise<RunningAgent> {
  const { identity, node } = await ownIdentity(options, releasers);
  const transport = controlTransport(options.url, signer(node.nodeId, identity.keys.signing));
  releasers.defer('transport', transport.close);
  const { sealing, wireguard } = identity.keys;
  await assemble({ options, node, transport, opener: opener(sealing), wireguardKeys: wireguard }, releasers);
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
