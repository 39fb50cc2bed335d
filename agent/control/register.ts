/** The first start: gives the node's keys and its one-time token to the control plane, as often as it takes. */
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
  control: Pick<Control, 'register'>;
  clock: Clock;
  random: () => number;
  log: (line: string) => void;
}

const backoff = { firstMs: 500, maxMs: 15_000 };

/** Answers at once when the node is registered already; a token that is still given then is left aside. */
export async function register(identity: Identity, options: RegisterOptions): Promise<Registration> {
  if (identity.registration !== null) return identity.registration;
  if (options.token === null) {
    throw new StalledError('token_missing', 'This node is not registered yet, and no token was given.', {
      hint: 'Run `landfall node add NAME` where the control plane is, and start the agent with the --token it prints.',
    });
  }
  const node = await answer(identity, { ...options, token: options.token });
  const registration = { url: options.url, node };
  // Only now: until the answer was here the same keys are sent again with the token.
  await options.file.save({ ...identity, registration });
  return registration;
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
      if (!isTransient(error)) throw refused(error);
      if (failures === 1) options.log(`${error instanceof Error ? error.message : String(error)} Trying again.`);
      const wait = backoffMs(failures, backoff, options.random());
      await new Promise<void>((resolve) => void options.clock.after(wait, resolve));
    }
  }
}

const hints: Partial<Record<NonNullable<ControlRefused['code']>, string>> = {
  token_unknown: 'Check that the whole token was copied, or run `landfall node add NAME` for a new one.',
  token_expired: 'Run `landfall node add NAME` for a new one; a token is good for 24 hours.',
  token_used: 'Run `landfall node add NAME` for this node: a token is good for one node.',
  kind_mismatch: 'Start the agent with --proxy exactly when the token was made with --proxy.',
  key_taken: 'The data directory was copied from another node: empty it, and start the agent with a token of its own.',
};

function refused(error: unknown): unknown {
  if (!(error instanceof ControlRefused)) return error;
  const hint = error.code === null ? undefined : hints[error.code];
  const options = { cause: error, ...(hint === undefined ? {} : { hint }) };
  return new StalledError(
    error.code ?? 'registration_refused',
    `The node was not registered: ${error.message}`,
    options,
  );
}
