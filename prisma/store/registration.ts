/** Registration of nodes: tokens that make one node each, and the nodes they made. */
import type { RegisteredNode, RegistrationFacts, RegistrationKeys } from '../../core/node/registration.ts';
import type { Db, Node } from '../client.ts';

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

/** The class of the advisory lock under which subnets are given out. */
const subnetLock = 0x5b7e;

/** What decides a registration. Holds the token's row and the giving of subnets until the transaction ends. */
export async function lockRegistrationFacts(
  db: Db,
  by: { tokenHash: string; signingKey: string },
): Promise<RegistrationFacts & { tokenId: string | null }> {
  await db.$executeRaw`SELECT pg_advisory_xact_lock(${subnetLock}::int, 0)`;
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
    data: { ...node, removedAt: null, cordonedAt: null, generation: { increment: 1 } },
  });
}

export async function useRegistrationToken(db: Db, tokenId: string, used: { nodeId: string; at: Date }): Promise<void> {
  await db.registrationToken.update({ where: { id: tokenId }, data: { nodeId: used.nodeId, usedAt: used.at } });
}

export async function findNode(db: Db, id: string): Promise<Node | null> {
  return db.node.findFirst({ where: { id, removedAt: null } });
}

/**
 * Takes a node out: its agent is refused from now on. Its name and subnet number become free, which is why the row, kept
 * for its history, takes a name and a negative number that nobody else can have. Gives the node as it was, or null.
 */
export async function removeNode(db: Db, id: string, at: Date): Promise<Node | null> {
  await db.$executeRaw`SELECT pg_advisory_xact_lock(${subnetLock}::int, 0)`;
  const node = await findNode(db, id);
  if (node === null) return null;
  const { _min: lowest } = await db.node.aggregate({ _min: { subnet: true } });
  await db.node.update({
    where: { id },
    data: {
      name: `${node.name} (removed, ${id})`,
      subnet: Math.min(lowest.subnet ?? 0, 0) - 1,
      removedAt: at,
      generation: { increment: 1 },
    },
  });
  return node;
}

export async function findNodeNamed(db: Db, name: string): Promise<Node | null> {
  return db.node.findUnique({ where: { name } });
}

/** What a removed node held: its allocations count as gone, its leases as run out. */
export async function abandonNode(db: Db, nodeId: string, at: Date): Promise<void> {
  const gone = await db.allocation.updateManyAndReturn({
    where: { nodeId, stoppedAt: null },
    data: {
      desired: 'stopped',
      observed: 'gone',
      health: 'none',
      detail: 'The node was removed.',
      stoppedAt: at,
      version: { increment: 1 },
    },
    select: { serviceId: true },
  });
  await db.rollout.updateMany({
    where: { finishedAt: null, serviceId: { in: gone.map(({ serviceId }) => serviceId) } },
    data: { factsVersion: { increment: 1 } },
  });
  await db.workItem.updateMany({
    where: { nodeId, status: { in: ['offered', 'claimed'] } },
    data: { status: 'expired', credentialSealed: null },
  });
}
