/** Nodes as people and the CLI see them. */
import Type from 'typebox';
import Value from 'typebox/value';
import type { LeftOutReplica } from '../../core/contract/left-out.ts';
import type { NodeResource } from '../../core/contract/resources/nodes.ts';
import { Capability, NodeResources } from '../../core/contract/status.ts';
import { containerCidr, wireguardAddress } from '../../core/node/addresses.ts';
import { meshStanding, type MeshNode } from '../../core/mesh/mesh.ts';
import { isCurrent, NodeFailure } from '../../core/node/failures.ts';
import { isLive } from '../../core/node/liveness.ts';
import type { Db, Prisma } from '../client.ts';
import { iso } from './iso.ts';
import { readLeftOut, type LeftOutContext, type LeftOutQuery } from './left-out.ts';
import { meshNodes } from './mesh.ts';

export interface NodeView extends LeftOutContext {
  now: Date;
}

/** What is read of all nodes at once. */
interface Others {
  mesh: readonly MeshNode[];
  leftOut: readonly LeftOutReplica[];
}

const include = {
  _count: { select: { allocations: { where: { desired: 'running' } } } },
} as const satisfies Prisma.NodeInclude;

const Capabilities = Type.Array(Capability);
const Failures = Type.Array(NodeFailure);

type NodeRow = Prisma.NodeGetPayload<{ include: typeof include }>;

/** By name. Removed ones are left out. */
export async function nodeResources(db: Db, view: NodeView): Promise<NodeResource[]> {
  const rows = await db.node.findMany({ where: { removedAt: null }, include, orderBy: { name: 'asc' } });
  const others = await readOthers(db, view);
  return rows.map((row) => nodeResource(row, view, others));
}

/** Null when there is none of this id, or it was removed. */
export async function findNodeResource(db: Db, id: string, view: NodeView): Promise<NodeResource | null> {
  const row = await db.node.findFirst({ where: { id, removedAt: null }, include });
  return row === null ? null : nodeResource(row, view, await readOthers(db, view, { nodeId: id }));
}

async function readOthers(db: Db, view: NodeView, of: LeftOutQuery = {}): Promise<Others> {
  return { mesh: await meshNodes(db, view.now), leftOut: await readLeftOut(db, view, of) };
}

function nodeResource(row: NodeRow, { pools, now }: NodeView, { mesh, leftOut }: Others): NodeResource {
  const self = mesh.find(({ id }) => id === row.id);
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    state: row.cordonedAt !== null ? 'cordoned' : isLive(row, now) ? 'ready' : 'silent',
    subnet: row.subnet,
    containerCidr: containerCidr(pools, row.subnet),
    wireguardAddress: wireguardAddress(pools, row.subnet),
    publicAddress: row.publicAddress,
    mesh: self === undefined ? null : meshStanding(self, mesh),
    // What is only shown and is not as expected is left out: it hides nothing else.
    capabilities: Value.Check(Capabilities, row.capabilities) ? row.capabilities : [],
    resources: Value.Check(NodeResources, row.resources) ? row.resources : null,
    agentVersion: row.agentVersion,
    generation: row.generation,
    appliedGeneration: row.appliedGeneration,
    allocations: row._count.allocations,
    leftOut: leftOut.filter(({ nodeId }) => nodeId === row.id),
    failures: Value.Check(Failures, row.failures) ? row.failures.filter((one) => isCurrent(one, now)) : [],
    lastSeenAt: iso(row.lastSeenAt),
    createdAt: iso(row.createdAt),
  };
}
