/** Registration of nodes: tokens that make one node each, and the nodes they made. */
import type { RegisteredNode, RegistrationFacts, RegistrationKeys } from '../../core/node/registration.ts';
import type { Db, Node } from '../client.ts';
import { lockPlacement, lockSubnets } from './locks.ts';
import { bumpMesh, nowhere } from './mesh.ts';
import { touchRollouts } from './rollouts.ts';

export interface NewRegistrationToken {
  tokenHash: string;
  nodeName: string;
  kind: 'worker' | 'proxy';
  expiresAt: Date;
}

/** A later token for the same name takes the place of those nobody has used. */
export async function createRegistrationToken(db: Db, token: NewRegistrationToken): Promise<void> {
  await db.registrationToken.deleteMany({ where: { nodeName: token.nodeName, usedAt: null } });
  await db.registrationToken.create({ data: token });
}

/** What decides a registration. Holds the token's row and the giving of subnets until the transaction ends. */
export async function lockRegistrationFacts(
  db: Db,
  by: { tokenHash: string; signingKey: string },
): Promise<RegistrationFacts & { tokenId: string | null }> {
  await lockSubnets(db);
  const token = await db.registrationToken.findUnique({ where: { tokenHash: by.tokenHash }, include: { node: true } });
  const sameKey = await db.node.findUnique({ where: { signingKey: by.signingKey } });
  const sameName = token === null ? null : await db.node.findUnique({ where: { name: token.nodeName } });
  return {
    tokenId: token?.id ?? null,
    token: token === null ? null : { ...token, node: registered(token.node) },
    sameKey: registered(sameKey),
    sameName: registered(sameName),
  };
}

function registered(node: Node | null): RegisteredNode | null {
  return node === null ? null : { ...node, removed: node.removedAt !== null };
}

/** The smallest subnet number that no node has; null when all of them are taken. */
export async function smallestFreeSubnet(db: Db, highest: number): Promise<number | null> {
  const [row] = await db.$queryRaw<{ subnet: number | null }[]>`
    SELECT min(candidate)::int AS subnet FROM generate_series(1, ${highest}::int) AS candidate
    WHERE NOT EXISTS (SELECT 1 FROM "Node" WHERE subnet = candidate)`;
  return row?.subnet ?? null;
}

export interface NewNode extends RegistrationKeys {
  name: string;
  kind: 'worker' | 'proxy';
  subnet: number;
  agentVersion: string;
  /** The id of the removed node that comes back. */
  revive: string | null;
}

export async function createNode(db: Db, { revive, ...node }: NewNode): Promise<Node> {
  if (revive === null) return db.node.create({ data: node });
  return db.node.update({
    where: { id: revive },
    data: { ...node, ...nowhere, removedAt: null, cordonedAt: null, generation: { increment: 1 } },
  });
}

export async function useRegistrationToken(db: Db, tokenId: string, used: { nodeId: string; at: Date }): Promise<void> {
  await db.registrationToken.update({ where: { id: tokenId }, data: { nodeId: used.nodeId, usedAt: used.at } });
}

export async function findNode(db: Db, id: string): Promise<Node | null> {
  return db.node.findFirst({ where: { id, removedAt: null } });
}

/**
 * Takes a node out: its agent is refused from now on, leases of its work have run out, its allocations are gone (replicas of what serves
 * are placed elsewhere by the worker). Its name and subnet number become free, which is why the row, kept for its history, takes a name
 * and a negative number that nobody else can have. Gives the node as it was, or null.
 */
export async function removeNode(db: Db, id: string, at: Date): Promise<Node | null> {
  // Nothing is placed on it meanwhile.
  await lockPlacement(db);
  await lockSubnets(db);
  const node = await findNode(db, id);
  if (node === null) return null;
  await db.workItem.updateMany({
    where: { nodeId: id, status: { in: ['offered', 'claimed'] } },
    data: { status: 'expired', credentialSealed: null },
  });
  await bumpMesh(db);
  const { _min: lowest } = await db.node.aggregate({ _min: { subnet: true } });
  await db.node.update({
    where: { id },
    data: {
      name: `${node.name} (removed, ${id})`,
      subnet: Math.min(lowest.subnet ?? 0, 0) - 1,
      removedAt: at,
      ...nowhere,
    },
  });
  await loseAllocations(db, node, at);
  return node;
}

async function loseAllocations(db: Db, { id: nodeId, name }: Node, at: Date): Promise<void> {
  const gone = await db.allocation.updateManyAndReturn({
    where: { nodeId, stoppedAt: null },
    data: {
      desired: 'stopped',
      observed: 'gone',
      health: 'none',
      detailCode: 'node_removed',
      detail: `The node ${name} was removed.`,
      stoppedAt: at,
      version: { increment: 1 },
    },
    select: { serviceId: true },
  });
  await touchRollouts(
    db,
    gone.map(({ serviceId }) => serviceId),
  );
}

/** Keeps new replicas and builds away from the node, or lets them come again. Gives false when there is no such node. */
export async function setCordon(db: Db, id: string, cordonedAt: Date | null): Promise<boolean> {
  // What is being placed is placed before.
  await lockPlacement(db);
  const { count } = await db.node.updateMany({ where: { id, removedAt: null }, data: { cordonedAt } });
  return count === 1;
}

export async function findNodeNamed(db: Db, name: string): Promise<Node | null> {
  return db.node.findUnique({ where: { name } });
}
