/** Drives one build: offers it to a node, follows its lease, ends it, and tells the intents that wait for it. */
import { chooseBuildNode, nextBuildStep, type BuildNode, type BuildStep } from '../../core/build/decide.ts';
import { Capability, NodeResources } from '../../core/contract/status.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import { advanceBuild } from '../../platform/queue/jobs.ts';
import { transaction, type Db } from '../../prisma/client.ts';
import {
  cancelBuildWork,
  changeBuild,
  expireWork,
  loadBuild,
  loadBuildNodes,
  offerBuild,
  type BuildNodeRow,
  type BuildSnapshot,
} from '../../prisma/store/builds.ts';
import { bumpNodes } from '../../prisma/store/nodes.ts';
import Type from 'typebox';
import Value from 'typebox/value';
import type { WorkerDeps } from '../deps.ts';
import { advanceIntent } from '../intents/settle.ts';
import { wakeAt } from '../wake.ts';

/** Without a node that can build, the next look; a node that comes makes the sweep look sooner. */
const noNodeMs = 5_000;

/** What one step leads to. */
type Next = { kind: 'again' } | { kind: 'wait'; until: Date } | { kind: 'ended' };

function toBuildNode(row: BuildNodeRow): BuildNode {
  return {
    id: row.id,
    name: row.name,
    lastSeenAt: row.lastSeenAt,
    cordoned: row.cordonedAt !== null,
    removed: false,
    capabilities: Value.Parse(Type.Array(Capability), row.capabilities),
    runningBuilds: row.liveBuilds,
    diskFreeBytes: row.resources === null ? null : Value.Parse(NodeResources, row.resources).diskFreeBytes,
  };
}

/** `registry/prefix/owner-repository/service`, in the letters that image names allow. */
function imageName(deps: WorkerDeps, { repository, build }: BuildSnapshot): string {
  const path = `${repository.owner}/${repository.name}/${build.service}`.toLowerCase();
  return `${deps.imagePrefix}/${path.replaceAll(/[^a-z0-9/]+/g, '-').replaceAll(/(^|\/)-+|-+(?=\/|$)/g, '$1')}`;
}

type Offer = Extract<BuildStep, { kind: 'offer' }>;

async function offer(deps: WorkerDeps, tx: Db, snapshot: BuildSnapshot, step: Offer): Promise<Next> {
  const now = deps.now();
  for (const workId of step.expire) await expireWork(tx, workId);
  const nodes = (await loadBuildNodes(tx)).map(toBuildNode);
  const others = nodes.filter(({ id }) => !step.avoid.includes(id));
  const choice = chooseBuildNode(others.length > 0 ? others : nodes, now);
  const { build } = snapshot;
  if (!choice.ok) {
    if (build.reason !== choice.reason || build.status !== 'queued')
      await changeBuild(tx, build, { status: 'queued', reasonCode: choice.code, reason: choice.reason });
    return { kind: 'wait', until: new Date(now.getTime() + noNodeMs) };
  }
  const change = { status: 'offered', attempt: step.attempt, imageName: imageName(deps, snapshot) } as const;
  const version = await changeBuild(tx, build, { ...change, reasonCode: null, reason: choice.reasons.join('; ') });
  if (version === null) return { kind: 'again' };
  await offerBuild(tx, { buildId: build.id, nodeId: choice.nodeId, attempt: step.attempt });
  await bumpNodes(tx, [choice.nodeId]);
  return { kind: 'again' };
}

async function cancelOrphan(deps: WorkerDeps, tx: Db, { build }: BuildSnapshot): Promise<Next> {
  const code = 'superseded';
  const reason = 'No intent wants this build any more.';
  const version = await changeBuild(tx, build, {
    status: 'superseded',
    reasonCode: code,
    reason,
    finishedAt: deps.now(),
  });
  if (version !== null) await bumpNodes(tx, await cancelBuildWork(tx, build.id, code));
  return { kind: 'again' };
}

async function apply(deps: WorkerDeps, tx: Db, snapshot: BuildSnapshot, step: BuildStep): Promise<Next> {
  const { build } = snapshot;
  switch (step.kind) {
    case 'offer':
      return snapshot.activeIntentIds.length === 0 ? cancelOrphan(deps, tx, snapshot) : offer(deps, tx, snapshot, step);
    case 'cancel':
      await bumpNodes(tx, await cancelBuildWork(tx, build.id, step.code));
      return step.until === null ? { kind: 'ended' } : { kind: 'wait', until: step.until };
    case 'fail':
      for (const workId of step.expire) await expireWork(tx, workId);
      await changeBuild(tx, build, {
        status: 'failed',
        reasonCode: step.code,
        reason: step.reason,
        finishedAt: deps.now(),
      });
      return { kind: 'again' };
    case 'wait':
      return { kind: 'wait', until: step.until };
    case 'finished':
      return { kind: 'ended' };
  }
}

interface Step {
  next: Next;
  /** Intents that want this build. */
  intents: string[];
  /** The build's version as it was read. */
  version: number;
}

async function step(deps: WorkerDeps, tx: Db, buildId: string): Promise<Step> {
  const snapshot = await loadBuild(tx, buildId);
  const { version } = snapshot.build;
  if (snapshot.repository.removed && snapshot.build.finishedAt === null) {
    const reason = `The repository ${snapshot.repository.owner}/${snapshot.repository.name} is gone.`;
    const change = { status: 'cancelled', reasonCode: 'repository_removed', reason, finishedAt: deps.now() } as const;
    if ((await changeBuild(tx, snapshot.build, change)) !== null)
      await bumpNodes(tx, await cancelBuildWork(tx, buildId, 'repository_removed'));
    return { next: { kind: 'again' }, intents: [], version };
  }
  const { build, spec, work } = snapshot;
  const decision = nextBuildStep({ ...build, timeoutMs: spec.timeoutMs }, work, deps.now());
  return { next: await apply(deps, tx, snapshot, decision), intents: snapshot.activeIntentIds, version };
}

/** Moves the build as far as it goes now, and asks to be called again when the next look is due at a time. */
export async function driveBuild(deps: WorkerDeps, buildId: string): Promise<void> {
  for (let count = 0; count < 10; count++) {
    const { next, intents, version } = await transaction(deps.database, (tx) => step(deps, tx, buildId));
    if (next.kind === 'again') continue;
    for (const intentId of intents) await advanceIntent(deps, intentId);
    if (next.kind === 'wait') await wakeAt(deps, next.until, { job: advanceBuild, payload: { buildId, version } });
    return;
  }
  throw new IgnoredError('busy', `Other writers moved the build ${buildId} ten times; the sweep looks again.`);
}
