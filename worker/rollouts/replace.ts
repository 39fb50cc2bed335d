/** Brings back replicas of releases that serve and have lost some, by a rollout of the same release. */
import { replacementOf } from '../../core/rollout/replace.ts';
import { transaction, type Db } from '../../prisma/client.ts';
import { lockServing, rollOutAgain, servicesLackingReplicas } from '../../prisma/store/replacements.ts';
import type { RolloutWake } from '../../prisma/store/rollouts.ts';
import type { WorkerDeps } from '../deps.ts';
import { each } from '../each.ts';
import { wake } from '../wake.ts';

async function replace(deps: WorkerDeps, tx: Db, serviceId: string): Promise<RolloutWake[]> {
  const serving = await lockServing(tx, serviceId);
  if (serving === null) return [];
  const at = deps.now();
  const decision = replacementOf(serving.service, at);
  if (decision.kind !== 'roll_out') return [];
  const { code, message } = decision;
  return rollOutAgain(tx, serving, { code, message, at });
}

/** One service that cannot be brought back does not keep the others from it. */
export async function replaceLost(deps: WorkerDeps): Promise<void> {
  await each(
    await servicesLackingReplicas(deps.database.db),
    'services could not be brought back',
    async (serviceId) => {
      const rollouts = await transaction(deps.database, (tx) => replace(deps, tx, serviceId));
      await wake(deps, { rollouts, owes: null });
    },
  );
}
