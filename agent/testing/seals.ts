/** Seals to the node of a test as the control plane does. */
import type { RegistryAccess } from '../../core/contract/expected-state.ts';
import { registryContext, secretsContext, sourceTokenContext } from '../../core/contract/sealing.ts';
import { seal } from '../../platform/crypto/sealing.ts';

export interface Seals {
  /** Of a registry on this machine, with what to pull and push as. */
  registry: (host: string, credentials: { username: string; password: string }) => RegistryAccess;
  secrets: (serviceId: string, values: Record<string, string>) => string;
  sourceToken: (claim: { workItemId: string; attempt: number }, token: string) => string;
}

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** @param sealingKey The node's. */
export function sealsTo(sealingKey: string): Seals {
  return {
    registry: (host, value) => {
      const sealedCredentials = seal(sealingKey, bytes(JSON.stringify(value)), registryContext(host));
      return { host, insecure: true, sealedCredentials };
    },
    secrets: (serviceId, values) => seal(sealingKey, bytes(JSON.stringify(values)), secretsContext(serviceId)),
    sourceToken: (claim, value) => seal(sealingKey, bytes(value), sourceTokenContext(claim)),
  };
}
