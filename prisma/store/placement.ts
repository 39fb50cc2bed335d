/** What `place` looks at: nodes, what they have and what is on them. One writer places at a time, over all processes. */
import { containerCidr, type AddressPools } from '../../core/node/addresses.ts';
import { NodeResources } from '../../core/contract/status.ts';
import type { PlaceNode } from '../../core/place/place.ts';
import { Resources } from '../../core/spec/service.ts';
import Type from 'typebox';
import Value from 'typebox/value';
import type { Db } from '../client.ts';

const Spec = Type.Object({ resources: Resources });
/** What a spec takes that cannot be read: it must not keep all others from being placed (P04). */
const nothing: Resources = { cpuMillis: 0, memoryBytes: 0, pids: 0 };

/** Nodes with their allocations; of the stopped ones those since `rememberSince`, whose addresses are taken last. */
export async function loadPlaceNodes(
  db: Db,
  options: { pools: AddressPools; rememberSince: Date },
): Promise<PlaceNode[]> {
  const nodes = await db.node.findMany({
    where: { removedAt: null },
    include: {
      allocations: {
        where: { OR: [{ stoppedAt: null }, { stoppedAt: { gt: options.rememberSince } }] },
        select: { serviceId: true, ip: true, stoppedAt: true, release: { select: { spec: true } } },
      },
    },
    orderBy: { id: 'asc' },
  });
  return nodes.map((node) => ({
    id: node.id,
    name: node.name,
    kind: node.kind,
    lastSeenAt: node.lastSeenAt,
    cordoned: node.cordonedAt !== null,
    removed: false,
    containerCidr: containerCidr(options.pools, node.subnet),
    capacity: Value.Check(NodeResources, node.resources) ? node.resources : null,
    allocations: node.allocations.map(({ release, ...allocation }) => ({
      ...allocation,
      resources: Value.Check(Spec, release.spec) ? release.spec.resources : nothing,
    })),
  }));
}
