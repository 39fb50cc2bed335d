/** Cancels a build at a person's word: what is offered is taken back, what runs is told to stop. */
import { ApiError } from '../../platform/errors/api-codes.ts';
import { advanceBuild } from '../../platform/queue/jobs.ts';
import { transaction, type Db } from '../../prisma/client.ts';
import { recordAuditEvent } from '../../prisma/store/audit-events.ts';
import { cancelBuildWork, changeBuild, findBuild } from '../../prisma/store/builds.ts';
import { bumpNodes } from '../../prisma/store/nodes.ts';
import type { ApiDeps } from '../deps.ts';

/** Does nothing to a build that has ended. @throws ApiError not_found. */
export async function cancelBuild({ database, queues, now }: ApiDeps, buildId: string, actor: string): Promise<void> {
  const at = now();
  const version = await transaction(database, (tx) => cancelOnce(tx, { buildId, actor, at }));
  if (version !== null) await queues.enqueue(advanceBuild, { buildId, version });
}

interface Cancel {
  buildId: string;
  actor: string;
  at: Date;
}

async function cancelOnce(tx: Db, { buildId, actor, at }: Cancel): Promise<number | null> {
  const build = await findBuild(tx, buildId);
  if (build === null) throw new ApiError('not_found');
  if (build.finishedAt !== null) return null;
  const reason = `${actor} cancelled it.`;
  const change = { status: 'cancelled', reasonCode: 'cancelled', reason, finishedAt: at } as const;
  const version = await changeBuild(tx, build, change);
  if (version === null) throw new ApiError('unavailable', 'The build moved on just now; try again.');
  await bumpNodes(tx, await cancelBuildWork(tx, buildId, 'cancelled'));
  await recordAuditEvent(tx, { actor, action: 'build.cancelled', subject: `build:${buildId}`, reason, at });
  return version;
}
