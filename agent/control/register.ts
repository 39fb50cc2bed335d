/** Gives the node's keys and a one-time token to the control plane, as often as it takes: at the first start, and after a removal. */
import { createHash } from 'node:crypto';
import { messageOf } from '../../platform/errors/classify.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import type { Identity, IdentityFile, Registration } from '../keys/identity.ts';
import type { Clock } from '../loop/clock.ts';
import { backoffMs } from './backoff.ts';
import type { Control } from './control.ts';
import { ControlRefused, isTransient } from './errors.ts';

export interface RegisterOptions {
  url: string;
  token: string | null;
  kind: 'worker' | 'proxy';
  agentVersion: string;
  file: Pick<IdentityFile, 'save'>;
  /** Forgets what was expected of the node that this one was before. */
  forget: () => Promise<void>;
  control: Pick<Control, 'register'>;
  clock: Clock;
  random: () => number;
  log: (line: string) => void;
}

const backoff = { firstMs: 500, maxMs: 15_000 };

/**
 * Answers at once when the node is registered and the token is the one that it registered with, or none: a node that is told its
 * token at every start does not need the control plane for it. A new token is an order to register again; a node that was not
 * removed stays who it is.
 */
export async function register(identity: Identity, options: RegisterOptions): Promise<Registration> {
  const { registration: earlier } = identity;
  const { token } = options;
  if (token === null) {
    if (earlier !== null) return earlier;
    throw new StalledError('token_missing', 'This node is not registered yet, and no token was given.', {
      hint: 'Run `landfall node add NAME` where the control plane is, and start the agent with the --token it prints.',
    });
  }
  const tokenHash = createHash('sha256').update(token).digest('hex');
  if (earlier?.tokenHash === tokenHash) return earlier;
  const registration = { ...(await registered(identity, { ...options, token })), tokenHash };
  // Only now: until the answer was here the same keys are sent again with the token.
  await options.file.save({ ...identity, registration });
  return registration;
}

async function registered(identity: Identity, options: RegisterOptions & { token: string }): Promise<Registration> {
  const { registration: earlier } = identity;
  try {
    const node = await answer(identity, options);
    // Under its old identity it may have had other work, at other addresses.
    if (earlier !== null) await options.forget();
    return { url: options.url, node };
  } catch (error) {
    if (earlier === null || !(error instanceof ControlRefused) || error.code !== 'key_taken') throw refused(error);
    const { name } = earlier.node;
    options.log(`This node is registered as ${name} still, so the token is left aside (landfall node remove ${name}).`);
    return earlier;
  }
}

async function answer(identity: Identity, options: RegisterOptions & { token: string }) {
  const { keys } = identity;
  const request = {
    token: options.token,
    kind: options.kind,
    signingKey: keys.signing.publicKey,
    sealingKey: keys.sealing.publicKey,
    wireguardKey: Buffer.from(keys.wireguard.publicKey, 'base64url').toString('base64'),
    agentVersion: options.agentVersion,
  };
  for (let failures = 1; ; failures += 1) {
    try {
      return await options.control.register(request);
    } catch (error) {
      if (!isTransient(error)) throw error;
      if (failures === 1) options.log(`${messageOf(error)} Trying again.`);
      const wait = backoffMs(failures, backoff, options.random());
      await new Promise<void>((resolve) => void options.clock.after(wait, resolve));
    }
  }
}

/** Whether the control plane still knows the node that this one registered as: it may have been removed since. */
export async function confirm(
  node: Registration['node'],
  options: { control: Pick<Control, 'expectedState'>; log: (line: string) => void },
): Promise<void> {
  try {
    await options.control.expectedState({ etag: null, waitMs: 0, signal: new AbortController().signal });
  } catch (error) {
    if (isTransient(error) && error instanceof Error) {
      options.log(`Whether ${node.name} is still registered there is not known: ${error.message}`);
      return;
    }
    throw refused(error);
  }
}

const hints: Partial<Record<NonNullable<ControlRefused['code']>, string>> = {
  token_unknown: 'Check that the whole token was copied, or run `landfall node add NAME` for a new one.',
  token_expired: 'Run `landfall node add NAME` for a new one; a token is good for 24 hours.',
  token_used: 'Run `landfall node add NAME` for this node: a token is good for one node.',
  kind_mismatch: 'Start the agent with --proxy exactly when the token was made with --proxy.',
  node_removed: 'Run `landfall node add NAME` for a new token, and start the agent with it.',
  signature_unknown_key: 'Run `landfall node add NAME` for a new token, and start the agent with it.',
  key_taken: 'The data directory was copied from another node: empty it, and start the agent with a token of its own.',
};

function refused(error: unknown): unknown {
  if (!(error instanceof ControlRefused)) return error;
  const hint = error.code === null ? undefined : hints[error.code];
  const options = { cause: error, ...(hint === undefined ? {} : { hint }) };
  return new StalledError(
    error.code ?? 'registration_refused',
    `The node is not registered: ${error.message}`,
    options,
  );
}
