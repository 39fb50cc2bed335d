/** Stops every replica of services that are removed. */
import type { Db, Prisma } from '../client.ts';
import { bumpNodes } from './nodes.ts';

/**
 * The caller holds the services. `alsoChanged`: nodes whose work it has changed, woken together with those that stop something, because
 * nodes are taken in one order. A replica that is placed at this moment belongs to a rollout under way, which stops it when it finds that its service is gone.
 */
export async function stopServices(
  db: Db,
  serviceIds: readonly string[],
  alsoChanged: readonly string[] = [],
): Promise<void> {
  const running = { serviceId: { in: [...serviceIds] }, desired: 'running' } satisfies Prisma.AllocationWhereInput;
  const nodes = await db.allocation.findMany({ where: running, distinct: ['nodeId'], select: { nodeId: true } });
  const nodeIds = nodes.map(({ nodeId }) => nodeId);
  await bumpNodes(db, [...nodeIds, ...alsoChanged]);
  await db.allocation.updateMany({
    where: { ...running, nodeId: { in: nodeIds } },
    data: { desired: 'stopped', version: { increment: 1 } },
  });
}
