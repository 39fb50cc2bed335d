/** Fails a delivery that no process survives, and says so on the commit that was pushed. */
import { reasons } from '../../core/intent/reasons.ts';
import { transaction, type Db } from '../../prisma/client.ts';
import { reportBrokenConfig } from '../../prisma/store/check-runs.ts';
import { settleDelivery, type StoredDelivery } from '../../prisma/store/deliveries.ts';
import { headOfDelivery } from '../../prisma/store/heads.ts';
import type { Lane } from '../../prisma/store/outbox.ts';
import { findRepository } from '../../prisma/store/repositories.ts';
import { wakeLane } from '../deploy/wake.ts';
import type { HandlerDeps } from '../deps.ts';
import { tellOutcome } from './tell-outcome.ts';

type Deps = Pick<HandlerDeps, 'database' | 'log' | 'now' | 'queues'>;

const code = 'server_ended';
const failed = { status: 'failed', code, reason: reasons[code].means } as const;

export async function failUnsurvived(deps: Deps, delivery: StoredDelivery): Promise<void> {
  const now = deps.now();
  const told = await transaction(deps.database, async (tx) => {
    if (!(await settleDelivery(tx, delivery.guid, failed, now))) return null;
    return { lane: await reportUnsurvived(tx, delivery, now) };
  });
  if (told === null) return;
  tellOutcome(deps.log, delivery, failed);
  await wakeLane(deps, told.lane);
}

/** From the ledger alone: the payload is what may have ended the process. */
async function reportUnsurvived(tx: Db, { guid, repositoryId }: StoredDelivery, now: Date): Promise<Lane | null> {
  if (repositoryId === null) return null;
  const sha = await headOfDelivery(tx, repositoryId, guid);
  const repository = await findRepository(tx, repositoryId);
  if (sha === null || /^0+$/.test(sha) || repository === null) return null;
  const unread = { repositoryId, sha, code, of: { kind: 'commit' }, issues: [] } as const;
  return reportBrokenConfig(tx, repository.installation.id, unread, now);
}
