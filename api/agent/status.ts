/** A status report: taken when it is the newest, written within the node's own rows, and what it may move is woken. */
import { isDeepStrictEqual } from 'node:util';
import type { ObservedContainer } from '../../core/contract/status.ts';
import { StatusAnswer, StatusReport } from '../../core/contract/status.ts';
import { describeFailure, failureNews, failuresAfter } from '../../core/node/failures.ts';
import { isLive } from '../../core/node/liveness.ts';
import { meshPlace } from '../../core/mesh/place.ts';
import { ApiError } from '../../platform/errors/api-codes.ts';
import { advanceBuild, advanceRollout } from '../../platform/queue/jobs.ts';
import { sweepSoon } from '../../platform/queue/sweep-soon.ts';
import { transaction } from '../../prisma/client.ts';
import { placeInMesh } from '../../prisma/store/mesh.ts';
import {
  takeReport,
  whyRefused,
  writeFailures,
  type AllocationReport,
  type TakenReport,
} from '../../prisma/store/status.ts';
import { workOffers } from '../../prisma/store/work-items.ts';
import type { ApiDeps } from '../deps.ts';
import { isUuid } from '../http/ids.ts';
import { answers, type Api } from '../http/routes.ts';
import { nodeOf } from './authenticate.ts';
import { storable } from './storable.ts';

export function statusRoute(api: Api, deps: ApiDeps): void {
  api.post(
    '/status',
    {
      // Some hundred containers, each with its last lines.
      bodyLimit: 16 * 1024 * 1024,
      schema: {
        operationId: 'reportStatus',
        summary: 'Report what runs on this node; an older report than the last is refused',
        tags: ['agent'],
        body: StatusReport,
        response: answers(StatusAnswer),
      },
    },
    async (request) =>
      report(deps, { nodeId: nodeOf(request).nodeId, seenAddress: request.ip }, storable(request.body)),
  );
}

interface Reporter {
  nodeId: string;
  /** From which the report came. */
  seenAddress: string;
}

async function report(deps: ApiDeps, { nodeId, seenAddress }: Reporter, body: StatusReport): Promise<StatusAnswer> {
  const at = deps.now();
  const named = body.containers.filter(({ allocationId }) => isUuid(allocationId));
  const { database } = deps;
  const taken = await takeReport(database.pool, {
    ...body,
    nodeId,
    at,
    idle: body.phase === 'idle',
    allocations: newestOfEach(named.map(allocationReport)),
  });
  if (taken === null) throw new ApiError(await whyRefused(database.pool, { nodeId, epoch: body.epoch }));
  const place = meshPlace({ reported: body, seenAddress, publicUrl: deps.config.publicUrl });
  if (!isDeepStrictEqual(place, taken.place)) await transaction(database, (tx) => placeInMesh(tx, nodeId, place));
  await keepFailures(deps, { ...body, nodeId, at }, taken);
  await wake(deps, taken, at);
  const unnamed = body.containers.filter(({ allocationId }) => !isUuid(allocationId));
  return {
    sequence: body.sequence,
    generation: taken.generation,
    work: await workOffers(database.db, nodeId),
    refused: [...taken.refused, ...unnamed.map(({ allocationId }) => allocationId)].map((allocationId) => ({
      allocationId,
      code: 'not_assigned',
    })),
  };
}

/** What the node cannot do now is told by `landfall node list`, the console and the log; most reports change nothing of it. */
async function keepFailures(
  { database, log }: ApiDeps,
  report: Pick<StatusReport, 'epoch' | 'sequence' | 'actions' | 'converged'> & { nodeId: string; at: Date },
  { failures: before }: TakenReport,
): Promise<void> {
  const { nodeId, at } = report;
  const failures = failuresAfter(before, report, at);
  if (isDeepStrictEqual(failures, before)) return;
  await writeFailures(database.pool, report, failures);
  const { begun, ended } = failureNews(before, failures);
  for (const one of begun) log.warn({ nodeId, ...one }, `a node cannot ${describeFailure(one)}`);
  for (const { kind, subject } of ended) log.info({ nodeId, kind, subject }, 'a node no longer fails at this');
}

/** A node that comes, or comes back, or learns to build: what waits for one is looked at again. */
async function wake({ queues }: ApiDeps, taken: TakenReport, now: Date): Promise<void> {
  for (const { id, factsVersion } of taken.moved)
    await queues.enqueue(advanceRollout, { rolloutId: id, version: factsVersion });
  for (const { id, version } of taken.lost) await queues.enqueue(advanceBuild, { buildId: id, version });
  if (taken.capabilitiesChanged || !isLive(taken, now)) await sweepSoon(queues, now);
}

export function allocationReport(container: ObservedContainer): AllocationReport {
  return {
    id: container.allocationId.toLowerCase(),
    observed: observedOf(container),
    health: container.health,
    detail: container.detail,
    detailCode: container.detailCode,
    lastLog: container.lastLog,
    restarts: container.restarts,
  };
}

function observedOf({ state, containerId }: ObservedContainer): AllocationReport['observed'] {
  switch (state) {
    case 'exited':
      return containerId === null ? 'gone' : 'exited';
    case 'dead':
      return 'exited';
    case 'pulling':
    case 'created':
    case 'running':
      return state;
  }
}

/** Two containers of one allocation, while one takes the other's place: the last one named counts. */
function newestOfEach(reports: AllocationReport[]): AllocationReport[] {
  return [...new Map(reports.map((each) => [each.id, each])).values()];
}
