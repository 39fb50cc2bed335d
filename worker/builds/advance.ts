/** Drives one build: offers it to a node, follows its lease, ends it, and tells the intents that wait for it. */
import {
  chooseBuildNode,
  freeBuildSlots,
  givenUpAt,
  isTimeToTell,
  nextBuildStep,
  offerLeaseMs,
  type BuildNode,
  type BuildStep,
  type ChosenBuildNode,
} from '../../core/build/decide.ts';
import { reasons } from '../../core/intent/reasons.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import { advanceBuild } from '../../platform/queue/jobs.ts';
import { transaction, type Db } from '../../prisma/client.ts';
import {
  cancelBuildWork,
  changeBuild,
  expireWork,
  loadBuild,
  lockBuildNodes,
  offerBuild,
  type BuildSnapshot,
} from '../../prisma/store/builds.ts';
import { lockBuild } from '../../prisma/store/locks.ts';
import { bumpNodes } from '../../prisma/store/nodes.ts';
import type { WorkerDeps } from '../deps.ts';
import { advanceIntent } from '../intents/settle.ts';
import { wakeAt } from '../wake.ts';
import { endBuild, type BuildEnd } from './end.ts';
import { imageName } from './image-name.ts';

/** Without a node that can build, the next look; a node that comes makes the sweep look sooner. */
const noNodeMs = 5_000;
/** A build that others move every time it is looked at is left to them. */
const maxTries = 10;

/** What one step leads to. */
type Next =
  /** Look again: it moved, or another writer was first. */
  | { kind: 'again' }
  /** These have waited longer, and a slot is free: they come first. */
  | { kind: 'after'; buildIds: string[] }
  | { kind: 'wait'; until: Date; isNews?: boolean }
  | { kind: 'ended' };

const again: Next = { kind: 'again' };

/** Apart from the full seconds by which the queue tells jobs apart. */
const offMark = 500;

/** The clock's own marks, so that all who wait ask for the same look. */
function nextMark(now: Date): Date {
  return new Date((Math.floor((now.getTime() + offMark) / noNodeMs) + 1) * noNodeMs - offMark);
}

/** False when one of them has moved since it was read: nothing of what follows holds then. */
async function expire(tx: Db, { build, work }: BuildSnapshot, workIds: string[]): Promise<boolean> {
  if (workIds.length > 0) await lockBuild(tx, build.id);
  for (const seen of work.filter(({ id }) => workIds.includes(id))) if (!(await expireWork(tx, seen))) return false;
  return true;
}

interface Refused {
  choice: Extract<ChosenBuildNode, { ok: false }>;
  nodes: readonly BuildNode[];
  now: Date;
}

/** Says once why it waits, and gives up a build that nobody has come for. */
async function waitForNode(tx: Db, snapshot: BuildSnapshot, { choice, nodes, now }: Refused): Promise<Next> {
  const { build, work } = snapshot;
  const { code, reason } = choice;
  const askedAt = new Date(Math.max(...[build, ...work].map(({ createdAt }) => createdAt.getTime())));
  if (code === 'no_build_node' && now >= givenUpAt(askedAt, nodes)) {
    const hours = Math.round((now.getTime() - askedAt.getTime()) / 3_600_000);
    await endBuild(tx, snapshot, { status: 'failed', code, reason: `Given up after ${hours} h. ${reason}`, at: now });
    return again;
  }
  const isNew = build.reason !== reason || build.status !== 'queued';
  if (isNew) await changeBuild(tx, build, { status: 'queued', reasonCode: code, reason });
  const isNews = code === 'no_build_node' && (isNew || isTimeToTell(askedAt, now));
  return { kind: 'wait', until: nextMark(now), isNews };
}

type Offer = Extract<BuildStep, { kind: 'offer' }>;

async function offer(deps: WorkerDeps, tx: Db, { passed, ...snapshot }: Turn, step: Offer): Promise<Next> {
  const now = deps.now();
  const { build, repository, waiting } = snapshot;
  const nodes = await lockBuildNodes(tx, now);
  const first = waiting.filter((id) => !passed.has(id)).slice(0, freeBuildSlots(nodes, now));
  if (first.length > 0) return { kind: 'after', buildIds: first };
  const others = nodes.filter(({ id }) => !step.avoid.includes(id));
  const elsewhere = chooseBuildNode(others, now);
  const choice = elsewhere.ok ? elsewhere : chooseBuildNode(nodes, now, waiting.length);
  if (!choice.ok) return waitForNode(tx, snapshot, { choice, nodes, now });
  const image = imageName(deps.imagePrefix, { ...repository, repositoryId: repository.id, service: build.service });
  const change = { status: 'offered', attempt: step.attempt, imageName: image } as const;
  const version = await changeBuild(tx, build, { ...change, reasonCode: null, reason: choice.reasons.join('; ') });
  if (version === null) return again;
  await offerBuild(tx, { buildId: build.id, nodeId: choice.nodeId, attempt: step.attempt, at: now });
  await bumpNodes(tx, [choice.nodeId]);
  return { kind: 'wait', until: new Date(now.getTime() + offerLeaseMs) };
}

async function end(deps: WorkerDeps, tx: Db, snapshot: BuildSnapshot, ending: BuildEnd): Promise<Next> {
  await endBuild(tx, snapshot, { ...ending, at: deps.now() });
  return again;
}

async function apply(deps: WorkerDeps, tx: Db, snapshot: Turn, step: BuildStep): Promise<Next> {
  switch (step.kind) {
    case 'offer':
      if (!(await expire(tx, snapshot, step.expire))) return again;
      if (snapshot.activeIntentIds.length > 0) return offer(deps, tx, snapshot, step);
      return end(deps, tx, snapshot, {
        status: 'superseded',
        code: 'superseded',
        reason: 'No intent wants this build any more.',
      });
    case 'cancel':
      await bumpNodes(tx, await cancelBuildWork(tx, snapshot.build.id, step.code));
      return step.until === null ? { kind: 'ended' } : { kind: 'wait', until: step.until };
    case 'fail':
      if (!(await expire(tx, snapshot, step.expire))) return again;
      return end(deps, tx, snapshot, { status: 'failed', code: step.code, reason: step.reason });
    case 'wait':
      return { kind: 'wait', until: step.until };
    case 'finished':
      return (await expire(tx, snapshot, step.expire)) ? { kind: 'ended' } : again;
  }
}

/** A build, and the older ones that have had their chance of the slots that are free. */
interface Turn extends BuildSnapshot {
  passed: ReadonlySet<string>;
}

interface Step {
  next: Next;
  /** Intents that this build has news for. */
  intents: string[];
  /** The build's version as it was read. */
  version: number;
  /** Builds that may have the slot of this one, which is over, the oldest first. */
  heirs: string[];
}

/** What ends the build, whatever its work does; null when nothing does. */
function endOf({ build, repository, spec }: BuildSnapshot): BuildEnd | null {
  if (build.finishedAt !== null) return null;
  if (repository.removed) {
    const reason = `${repository.owner}/${repository.name}: ${reasons.repository_removed.means}`;
    return { status: 'cancelled', code: 'repository_removed', reason };
  }
  if (spec !== null) return null;
  return { status: 'failed', code: 'internal', reason: 'Its spec cannot be read by this release of Landfall.' };
}

async function step(deps: WorkerDeps, tx: Db, turn: { buildId: string; passed: Turn['passed'] }): Promise<Step> {
  const snapshot = await loadBuild(tx, turn.buildId);
  const { build, spec, work } = snapshot;
  const isOver = build.finishedAt !== null;
  const seen = { version: build.version, heirs: isOver ? snapshot.waiting : [] };
  const ending = endOf(snapshot);
  if (ending !== null) return { ...seen, next: await end(deps, tx, snapshot, ending), intents: [] };
  const decision = nextBuildStep({ ...build, timeoutMs: spec?.timeoutMs ?? 0 }, work, deps.now());
  const next = await apply(deps, tx, { ...snapshot, passed: turn.passed }, decision);
  const isStuck = next.kind === 'wait' && next.isNews === true;
  const isNews = build.status === 'building' || isOver || isStuck;
  return { ...seen, next, intents: isNews ? snapshot.activeIntentIds : [] };
}

/** One that cannot be moved does not hold up the others; a job of its own meets the same error. */
async function driveWaiting(deps: WorkerDeps, buildIds: readonly string[]): Promise<void> {
  for (const buildId of buildIds)
    await driveBuild(deps, buildId).catch((error: unknown) => {
      deps.log.warn({ err: error, buildId }, 'a build that waits for a node could not be moved');
    });
}

/** Moves the build as far as it goes now, and asks to be called again when the next look is due at a time. */
export async function driveBuild(deps: WorkerDeps, buildId: string): Promise<void> {
  const passed = new Set<string>();
  for (let count = 0; count < maxTries; count++) {
    const { next, intents, version, heirs } = await transaction(deps.database, (tx) =>
      step(deps, tx, { buildId, passed }),
    );
    if (next.kind === 'again') continue;
    if (next.kind === 'after') {
      await driveWaiting(deps, next.buildIds);
      for (const id of next.buildIds) passed.add(id);
      continue;
    }
    for (const intentId of intents) await advanceIntent(deps, intentId);
    if (next.kind === 'wait') await wakeAt(deps, next.until, { job: advanceBuild, payload: { buildId, version } });
    // A slot is offered at once to the build that has waited the longest.
    await driveWaiting(deps, heirs.slice(0, 1));
    return;
  }
  throw new IgnoredError('busy', `Other writers moved the build ${buildId} ${maxTries} times; the sweep looks again.`);
}
