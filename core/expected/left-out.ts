/** Decides which replicas of a node its expected state leaves out, and why: for the agent, for their rollouts and for people (P04). */
import Value from 'typebox/value';
import type { ReasonCode } from '../intent/reasons.ts';
import { ServiceSpec } from '../spec/service.ts';

/** One secret that the release was made with. */
export type SecretFact = {
  name: string;
  /** `key_missing`: encrypted under a master key that is not here. `damaged`: changed or moved since it was encrypted. */
  state: 'opens' | 'key_missing' | 'damaged';
};

export type ReplicaFacts = {
  allocationId: string;
  serviceName: string;
  /** Of its service, when it was made. */
  generation: number;
  ip: string;
  imageDigest: string;
  /** The release's ServiceSpec, as stored. */
  spec: unknown;
  secrets: readonly SecretFact[];
  /** Of its node, e.g. `10.200.3.0/24`. */
  containerCidr: string;
};

export type LeftOut = {
  code: Extract<
    ReasonCode,
    | 'release_unreadable'
    | 'secret_missing'
    | 'master_key_missing'
    | 'secret_damaged'
    | 'address_foreign'
    | 'address_taken'
  >;
  /** Goes on behind the name of the service or the replica: `its secrets are missing: TOKEN.` */
  message: string;
};

/**
 * By allocation. Whoever asks of some replicas brings those with the same addresses too: of two with one address the later is left out,
 * because the other may be serving with it.
 */
export function leftOutReplicas(replicas: readonly ReplicaFacts[]): Map<string, LeftOut> {
  const found = new Map<string, LeftOut>();
  const owners = new Map<string, ReplicaFacts>();
  for (const replica of replicas.toSorted(byAge)) {
    const owner = owners.get(replica.ip);
    const why = ownProblem(replica) ?? (owner === undefined ? null : taken(replica, owner));
    if (why === null) owners.set(replica.ip, replica);
    else found.set(replica.allocationId, why);
  }
  return found;
}

/** Why a stored spec is none, as a sentence's end; null when it is one. */
export function whyUnreadable(spec: unknown): string | null {
  if (Value.Check(ServiceSpec, spec)) return null;
  const [error] = Value.Errors(ServiceSpec, spec);
  if (error === undefined) return 'its spec cannot be understood: it has another shape.';
  return `its spec cannot be understood: ${error.instancePath === '' ? 'it' : error.instancePath} ${error.message}.`;
}

function ownProblem({ spec, imageDigest, ip, secrets, containerCidr }: ReplicaFacts): LeftOut | null {
  if (!Value.Check(ServiceSpec, spec))
    return { code: 'release_unreadable', message: whyUnreadable(spec) ?? 'its spec cannot be understood.' };
  if (!/^sha256:[0-9a-f]{64}$/.test(imageDigest))
    return { code: 'release_unreadable', message: `${imageDigest} is not an image digest.` };
  if (!ip.startsWith(prefixOf(containerCidr)))
    return { code: 'address_foreign', message: `${ip} is not an address of its node.` };
  return secretProblem(spec.secrets, secrets);
}

function secretProblem(names: readonly string[], secrets: readonly SecretFact[]): LeftOut | null {
  const missing = names.filter((name) => !secrets.some((secret) => secret.name === name));
  if (missing.length > 0) return { code: 'secret_missing', message: `its secrets are missing: ${listed(missing)}.` };
  const inState = (state: SecretFact['state']): string[] =>
    secrets.filter((secret) => secret.state === state && names.includes(secret.name)).map(({ name }) => name);
  const locked = inState('key_missing');
  if (locked.length > 0) {
    const message = `its secrets are encrypted under a master key that is not here: ${listed(locked)}.`;
    return { code: 'master_key_missing', message };
  }
  const damaged = inState('damaged');
  if (damaged.length === 0) return null;
  return { code: 'secret_damaged', message: `its secrets were changed or moved: ${listed(damaged)}.` };
}

function taken({ ip }: ReplicaFacts, owner: ReplicaFacts): LeftOut {
  return { code: 'address_taken', message: `${ip} is taken by ${owner.serviceName}.` };
}

function listed(names: readonly string[]): string {
  return names.toSorted().join(', ');
}

/** `10.200.3.` of `10.200.3.0/24`. */
export function prefixOf(containerCidr: string): string {
  return containerCidr.slice(0, containerCidr.lastIndexOf('.') + 1);
}

function byAge(a: ReplicaFacts, b: ReplicaFacts): number {
  return a.generation - b.generation || (a.allocationId < b.allocationId ? -1 : 1);
}
