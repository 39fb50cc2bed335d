/** Makes the expected state of one node out of its rows: what is secret is sealed to this node, and only what it needs (P60). */
import { createHash } from 'node:crypto';
import { registryContext, secretsContext } from '../../core/contract/sealing.ts';
import type { ExpectedState, RegistryAccess } from '../../core/contract/expected-state.ts';
import { etagOf, expectedState, type ExpectedRow } from '../../core/expected/expected-state.ts';
import type { Mesh } from '../../core/contract/mesh.ts';
import { meshOf, type MeshNode } from '../../core/mesh/mesh.ts';
import { containerCidr, type AddressPools } from '../../core/node/addresses.ts';
import { decrypt } from '../../platform/crypto/envelope.ts';
import { secretFact } from '../../platform/crypto/secret-fact.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import type { ExpectedAllocation, ExpectedSnapshot } from '../../prisma/store/expected-state.ts';
import type { ApiDeps } from '../deps.ts';
import type { Sealer } from './sealer.ts';

type ExpectedDeps = Pick<ApiDeps, 'config' | 'masterKeys'> & { sealer: Sealer };

export function composeExpectedState(
  deps: ExpectedDeps,
  { node, allocations, work, keptImages, mesh }: ExpectedSnapshot,
): ExpectedState {
  return expectedState({
    node: { ...node, containerCidr: containerCidr(deps.config.pools, node.subnet) },
    registries: registriesOf(deps, node.sealingKey, allocations),
    allocations: allocations.map((allocation) => ({
      ...allocation,
      ...sealSecrets(deps, node.sealingKey, allocation),
      leasedUntil: null,
    })),
    work,
    keptImages,
    mesh: ownMesh(node.id, mesh, deps.config.pools),
  });
}

/** Alone, a node has nobody to reach. */
function ownMesh(nodeId: string, nodes: readonly MeshNode[], pools: AddressPools): Mesh | null {
  const self = nodes.find(({ id }) => id === nodeId);
  return self === undefined || nodes.length === 1 ? null : meshOf(self, nodes, pools);
}

/** What does not open leaves out its service alone (P04): core says which, and why. */
function sealSecrets(
  deps: ExpectedDeps,
  sealingKey: string,
  { serviceId, secrets }: ExpectedAllocation,
): Pick<ExpectedRow, 'secrets' | 'sealed'> {
  if (secrets.length === 0) return { secrets: [], sealed: null };
  const version = digest(secrets.map(({ id, name, version: of }) => [id, name, of]));
  try {
    const sealed = deps.sealer(sealingKey, {
      context: secretsContext(serviceId),
      version,
      plaintext: () => {
        const values = secrets.map(({ id, name, valueSealed }) => {
          const value = decrypt(deps.masterKeys, valueSealed, { table: 'Secret', column: 'valueSealed', id });
          return [name, value.toString('utf8')];
        });
        return JSON.stringify(Object.fromEntries(values));
      },
    });
    return { secrets: secrets.map(({ name }) => ({ name, state: 'opens' })), sealed: { secrets: sealed, version } };
  } catch (error) {
    if (!(error instanceof StalledError)) throw error;
    return { secrets: secrets.map((secret) => secretFact(deps.masterKeys, secret)), sealed: null };
  }
}

/** The registries that this node's images come from. */
function registriesOf(
  deps: ExpectedDeps,
  sealingKey: string,
  allocations: readonly ExpectedAllocation[],
): RegistryAccess[] {
  const hosts = new Set(allocations.map(({ imageName }) => imageName.split('/', 1)[0] ?? ''));
  return [...hosts].sort().map((host) => registryAccess(deps, sealingKey, host));
}

export function registryAccess(deps: ExpectedDeps, sealingKey: string, host: string): RegistryAccess {
  const { registry } = deps.config;
  if (host !== registry.host) return { host, insecure: false, sealedCredentials: null };
  const { insecure, credentials } = registry;
  if (credentials === null) return { host, insecure, sealedCredentials: null };
  const plaintext = JSON.stringify(credentials);
  const sealedCredentials = deps.sealer(sealingKey, {
    context: registryContext(host),
    version: digest(plaintext),
    plaintext: () => plaintext,
  });
  return { host, insecure, sealedCredentials };
}

/** Core's tag names all but what is sealed; secrets are named in it by version, and credentials are named here. */
export function stateTag({ config }: Pick<ApiDeps, 'config'>, state: ExpectedState): string {
  return `"${digest([etagOf(state), config.registry.credentials])}"`;
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
