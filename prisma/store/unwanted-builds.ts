/** Ends builds that nobody wants any more, with the intents that did. */
import type { Db, Prisma } from '../client.ts';
import { cancelBuildWork } from './builds.ts';

export interface BuildEnd {
  status: 'superseded' | 'cancelled';
  code: 'superseded' | 'environment_removed';
  reason: string;
  at: Date;
}

/**
 * Live builds that only these intents wanted, which have ended: what is offered is taken back, what runs is told to stop. Gives the nodes
 * to wake.
 */
export async function endUnwantedBuilds(
  db: Db,
  intentIds: readonly string[],
  { status, code, reason, at }: BuildEnd,
): Promise<string[]> {
  if (intentIds.length === 0) return [];
  const unwanted = {
    status: { in: ['queued', 'offered', 'building'] },
    intents: { some: { intentId: { in: [...intentIds] } }, none: { intent: { status: 'active' } } },
  } satisfies Prisma.BuildWhereInput;
  const builds = await db.build.findMany({ where: unwanted, orderBy: { id: 'asc' }, select: { id: true } });
  const nodeIds: string[] = [];
  for (const { id } of builds) {
    const { count } = await db.build.updateMany({
      where: { id, status: unwanted.status },
      data: { status, reasonCode: code, reason, finishedAt: at, version: { increment: 1 } },
    });
    if (count === 1) nodeIds.push(...(await cancelBuildWork(db, id, code)));
  }
  return nodeIds;
}
