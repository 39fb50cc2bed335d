/** Work leased to a node: claim, renew, finish. Work of another node is as if it did not exist (P62). */
import Type from 'typebox';
import { ClaimAnswer, ClaimRequest, FinishRequest, RenewAnswer, type BuildOrder } from '../../core/contract/work.ts';
import { ApiError, type ApiErrorCode } from '../../platform/errors/api-codes.ts';
import { advanceBuild, mintSourceToken } from '../../platform/queue/jobs.ts';
import { workTopic } from '../../platform/wake/topics.ts';
import { transaction } from '../../prisma/client.ts';
import { loadBuildOrder } from '../../prisma/store/build-orders.ts';
import { claimWork, findWork, finishWork, renewWork, type WorkHold } from '../../prisma/store/work-items.ts';
import type { ApiDeps } from '../deps.ts';
import { IdParams, idOf } from '../http/ids.ts';
import { answers, type Api } from '../http/routes.ts';
import { watch } from '../http/watch.ts';
import { nodeOf } from './authenticate.ts';
import { registryAccess } from './expected.ts';
import type { Sealer } from './sealer.ts';
import { storable } from './storable.ts';

export interface WorkDeps extends ApiDeps {
  sealer: Sealer;
  /** Aborts when the API stops. */
  stopping: AbortSignal;
}

/** A lease that is not renewed for so long is over. */
const leaseMs = 30_000;
/** How long a claim waits for the source token to be minted. */
const tokenWaitMs = 10_000;

export function workRoutes(api: Api, deps: WorkDeps): void {
  api.post(
    '/work/:id/claim',
    {
      bodyLimit: 1024,
      schema: {
        operationId: 'claimWork',
        summary: 'Take offered work under a lease of 30 seconds; may be repeated by the same attempt',
        tags: ['agent'],
        params: IdParams,
        body: ClaimRequest,
        response: answers(ClaimAnswer),
      },
    },
    async (request) => claim(deps, holdOf(nodeOf(request).nodeId, request)),
  );
  api.post(
    '/work/:id/renew',
    {
      bodyLimit: 1024,
      schema: {
        operationId: 'renewWork',
        summary: 'Extend the lease, and learn whether the work is to stop',
        tags: ['agent'],
        params: IdParams,
        body: ClaimRequest,
        response: answers(RenewAnswer),
      },
    },
    async (request) => renew(deps, holdOf(nodeOf(request).nodeId, request)),
  );
  api.post(
    '/work/:id/finish',
    {
      // Annotations, and the last lines of a log, each as long as a line can be.
      bodyLimit: 6 * 1024 * 1024,
      schema: {
        operationId: 'finishWork',
        summary: 'End the work with its outcome',
        tags: ['agent'],
        params: IdParams,
        body: FinishRequest,
        response: answers(Type.Object({})),
      },
    },
    async (request) => {
      await finish(deps, holdOf(nodeOf(request).nodeId, request), storable(request.body));
      return {};
    },
  );
}

function holdOf(nodeId: string, request: { params: { id: string }; body: { attempt: number } }): WorkHold {
  return { id: idOf(request.params), nodeId, attempt: request.body.attempt };
}

function newLease({ now }: ApiDeps): { at: Date; until: Date } {
  const at = now();
  return { at, until: new Date(at.getTime() + leaseMs) };
}

async function claim(deps: WorkDeps, hold: WorkHold): Promise<ClaimAnswer> {
  const claimed = await transaction(deps.database, (tx) => claimWork(tx, hold, newLease(deps)));
  if (!claimed) throw new ApiError(await whyNot(deps, hold));
  const sealedSourceToken = await waitForToken(deps, hold);
  const lease = newLease(deps);
  // The wait took its share of the lease: what the agent gets is a whole one.
  if ((await renewWork(deps.database.db, hold, lease)) === null) throw new ApiError(await whyNot(deps, hold));
  const order = await buildOrder(deps, hold, sealedSourceToken);
  return { attempt: hold.attempt, leaseMs, order };
}

/** Subscribes first, then asks for the token, then reads: a token that comes between is not missed (P09). */
async function waitForToken(deps: WorkDeps, hold: WorkHold): Promise<string> {
  const watching = watch(deps.wake, [workTopic(hold.id)]);
  try {
    await deps.queues.enqueue(mintSourceToken, { workItemId: hold.id, attempt: hold.attempt });
    const until = deps.now().getTime() + tokenWaitMs;
    for (;;) {
      const work = await findWork(deps.database.db, hold);
      if (work === null || work.status !== 'claimed' || work.attempt !== hold.attempt || work.cancelCode !== null)
        throw new ApiError(await whyNot(deps, hold));
      if (work.credentialSealed !== null) return work.credentialSealed;
      const timeoutMs = until - deps.now().getTime();
      if (timeoutMs <= 0 || deps.stopping.aborted) throw new ApiError('work_not_ready');
      await watching.next({ timeoutMs, signal: deps.stopping });
    }
  } finally {
    watching.close();
  }
}

async function buildOrder(deps: WorkDeps, hold: WorkHold, sealedSourceToken: string): Promise<BuildOrder> {
  const row = await loadBuildOrder(deps.database.db, hold);
  if (row === null) throw new ApiError('not_found');
  const { owner, name, sealingKey, ...order } = row;
  const { build, github } = deps.config;
  return {
    kind: 'build',
    ...order,
    cloneUrl: `${github.url}/${owner}/${name}.git`,
    registry: registryAccess(deps, sealingKey, order.imageName.split('/', 1)[0] ?? ''),
    sealedSourceToken,
    limits: { cpuMillis: build.cpuMillis, memoryBytes: build.memoryBytes },
    maxLogBytes: build.maxLogBytes,
  };
}

async function renew(deps: WorkDeps, hold: WorkHold): Promise<RenewAnswer> {
  const lease = newLease(deps);
  const renewed = await renewWork(deps.database.db, hold, lease);
  if (renewed === null) throw new ApiError(await whyNot(deps, hold));
  return { leaseMs, cancel: renewed.cancelCode };
}

async function finish(deps: WorkDeps, hold: WorkHold, { outcome }: FinishRequest): Promise<void> {
  const finished = await transaction(deps.database, (tx) => finishWork(tx, hold, { outcome, at: deps.now() }));
  if (finished === null) throw new ApiError(await whyNot(deps, hold));
  if (finished.buildId !== null && finished.buildVersion !== null)
    await deps.queues.enqueue(advanceBuild, { buildId: finished.buildId, version: finished.buildVersion });
}

/** Why the node does not hold this attempt of the work. */
async function whyNot(deps: WorkDeps, hold: WorkHold): Promise<ApiErrorCode> {
  const work = await findWork(deps.database.db, hold);
  if (work === null) return 'not_found';
  if (work.attempt !== hold.attempt) return 'attempt_stale';
  switch (work.status) {
    case 'offered':
      return work.cancelCode === null ? 'lease_lost' : 'work_cancelled';
    case 'claimed':
      return work.cancelCode === null ? 'lease_lost' : 'work_cancelled';
    case 'cancelled':
      return 'work_cancelled';
    case 'expired':
      return 'lease_lost';
    case 'succeeded':
    case 'failed':
      return 'work_finished';
  }
}
