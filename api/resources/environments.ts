/** `/api/v1/environments/{id}`: how an environment ends. It is never ended by a push: a file can lose a line by mistake. */
import { EnvironmentRemoved } from '../../core/contract/resources/environments.ts';
import { ApiError } from '../../platform/errors/api-codes.ts';
import { intentUrl } from '../../platform/links/intent-link.ts';
import { advanceRollout, flushOutbox } from '../../platform/queue/jobs.ts';
import { transaction } from '../../prisma/client.ts';
import { removeEnvironment } from '../../prisma/store/environment-removal.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../http/bearer.ts';
import { IdParams, idOf } from '../http/ids.ts';
import { answers, type Api } from '../http/routes.ts';

export function environmentRoutes(api: Api, deps: ApiDeps): void {
  api.delete(
    '/environments/:id',
    {
      schema: {
        operationId: 'removeEnvironment',
        summary:
          'End an environment: its services stop, its secrets are deleted, its deployments at GitHub become inactive',
        tags: ['deploys'],
        params: IdParams,
        response: answers(EnvironmentRemoved),
      },
    },
    async (request) => remove(deps, { id: idOf(request.params), actor: accessOf(request).name }),
  );
}

async function remove(
  { database, queues, config, masterKeys, now }: ApiDeps,
  removal: { id: string; actor: string },
): Promise<EnvironmentRemoved> {
  const consoleUrl = (intentId: string): string => intentUrl(config.publicUrl, masterKeys, intentId);
  const removed = await transaction(database, (tx) => removeEnvironment(tx, removal, { consoleUrl, now: now() }));
  if (removed === null) throw new ApiError('not_found');
  const { name, services, secrets, rollouts, owes } = removed;
  for (const { id, factsVersion } of rollouts)
    await queues.enqueue(advanceRollout, { rolloutId: id, version: factsVersion });
  if (owes !== null) await queues.enqueue(flushOutbox, owes);
  return { name, services, secrets };
}
