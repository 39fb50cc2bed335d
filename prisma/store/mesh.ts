/** Nodes as the private network between them sees them. What places one of them there is part of what all others are told. */
import type { MeshNode } from '../../core/mesh/mesh.ts';
import type { MeshPlace } from '../../core/mesh/place.ts';
import { isLive } from '../../core/node/liveness.ts';
import type { Db } from '../client.ts';
import { bumpNodes } from './nodes.ts';

/** Of a node whose agent has not reported yet. */
export const nowhere: MeshPlace = { ownAddress: null, seenAddress: null, listenPort: null, endpoint: null };

/** Of agents that take part, in the order of their ids. */
export async function meshNodes(db: Db, now: Date): Promise<MeshNode[]> {
  const rows = await db.node.findMany({
    where: { removedAt: null, listenPort: { not: null } },
    select: {
      ...{ id: true, name: true, subnet: true, wireguardKey: true, lastSeenAt: true },
      ...{ ownAddress: true, seenAddress: true, listenPort: true, endpoint: true },
    },
    orderBy: { id: 'asc' },
  });
  return rows.flatMap(({ wireguardKey, lastSeenAt, listenPort, ...row }) =>
    listenPort === null ? [] : [{ ...row, publicKey: wireguardKey, listenPort, live: isLive({ lastSeenAt }, now) }],
  );
}

/** All nodes are told anew. Rows are taken before any of them is changed (locks.ts). */
export async function placeInMesh(db: Db, nodeId: string, place: MeshPlace): Promise<void> {
  await bumpMesh(db);
  await db.node.updateMany({ where: { id: nodeId, removedAt: null }, data: place });
}

/** A node has come, gone or moved: what every node is told of the others has changed. */
export async function bumpMesh(db: Db): Promise<void> {
  const nodes = await db.node.findMany({ where: { removedAt: null }, select: { id: true } });
  await bumpNodes(
    db,
    nodes.map(({ id }) => id),
  );
}
