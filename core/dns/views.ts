/**
 * Decides which names a node knows, and who may ask for them. A node is told of the projects that run on it and of no other; a container
 * finds its own environment's services by their bare name, and those of its project's other environments by their full one.
 */
import type { NameView, Names } from '../contract/names.ts';

export type NamedReplica = {
  projectId: string;
  environmentId: string;
  environment: string;
  service: string;
  nodeId: string;
  ip: string;
  /** Running, healthy, meant to run, and of a release that takes traffic. */
  serves: boolean;
};

export const zoneName = 'internal';

const ttlSeconds = 5;

/** @param replicas Of the projects that run on the node, wherever they are. */
export function namesOf(nodeId: string, replicas: readonly NamedReplica[]): Names {
  const here = replicas.filter((replica) => replica.nodeId === nodeId);
  const environments = new Map(here.map(({ environmentId, projectId }) => [environmentId, projectId]));
  const views = [...environments].map(([environmentId, projectId]): NameView => {
    const own = replicas.filter((replica) => replica.projectId === projectId);
    const askers = here.filter((replica) => replica.environmentId === environmentId).map(({ ip }) => ip);
    return { environmentId, askers: unique(askers), names: namesFor(environmentId, own) };
  });
  return { ttlSeconds, views: views.sort((a, b) => (a.environmentId < b.environmentId ? -1 : 1)) };
}

/** A bare name is the own environment's; one of the other environments can be no service's at the same time. */
function namesFor(environmentId: string, replicas: readonly NamedReplica[]): Record<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { service, environment, ip, serves, ...replica } of replicas) {
    const full = `${service}.${environment}.${zoneName}`;
    const bare = replica.environmentId === environmentId ? [`${service}.${zoneName}`] : [];
    for (const name of [full, ...bare]) names.set(name, [...(names.get(name) ?? []), ...(serves ? [ip] : [])]);
  }
  const sorted = [...names].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, addresses]) => [name, unique(addresses)]));
}

function unique(addresses: readonly string[]): string[] {
  return [...new Set(addresses)].sort();
}
