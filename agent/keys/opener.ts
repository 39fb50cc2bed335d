/** Opens what the control plane sealed to this node, each for its one use. What it opens stays in memory. */
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import type { ExpectedContainer } from '../../core/contract/expected-state.ts';
import type { RouteCertificate } from '../../core/contract/routes.ts';
import {
  certificateContext,
  registryContext,
  secretsContext,
  sourceTokenContext,
} from '../../core/contract/sealing.ts';
import { importPrivateKey, type KeyPair } from '../../platform/crypto/keys.ts';
import { open } from '../../platform/crypto/sealing.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import type { RegistryCredentials } from '../registry/credentials.ts';

export interface Opener {
  /** Values of a service's secrets by name. Throws StalledError when they do not open. */
  readonly secrets: (container: Pick<ExpectedContainer, 'serviceId' | 'sealedSecrets'>) => Record<string, string>;
  readonly credentials: (registry: { host: string; sealedCredentials: string | null }) => RegistryCredentials | null;
  /** PEM. */
  readonly certificateKey: (certificate: Pick<RouteCertificate, 'digest' | 'sealedKey'>) => string;
  readonly sourceToken: (claim: { workItemId: string; attempt: number }, sealed: string) => string;
}

const Secrets = Compile(Type.Record(Type.String(), Type.String()));
const Credentials = Compile(Type.Object({ username: Type.String(), password: Type.String() }));

export function opener(sealing: KeyPair): Opener {
  const key = importPrivateKey('X25519', sealing);
  return {
    secrets: ({ serviceId, sealedSecrets }) =>
      sealedSecrets === null ? {} : parse(Secrets, open(key, sealedSecrets, secretsContext(serviceId))),
    credentials: ({ host, sealedCredentials }) =>
      sealedCredentials === null ? null : parse(Credentials, open(key, sealedCredentials, registryContext(host))),
    certificateKey: ({ digest, sealedKey }) => open(key, sealedKey, certificateContext(digest)).toString('utf8'),
    sourceToken: (claim, sealed) => open(key, sealed, sourceTokenContext(claim)).toString('utf8'),
  };
}

function parse<T>(validator: { Check: (value: unknown) => value is T }, bytes: Buffer): T {
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  if (validator.Check(value)) return value;
  throw new StalledError('sealed_unreadable', 'A sealed text holds something else than was expected.');
}
