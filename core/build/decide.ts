/** Decides about builds: what makes two the same, which node does one, and what comes next for it. */
import type { Capability } from '../contract/status.ts';
import type { BuildStatus } from '../intent/outcome.ts';
import { reasons, type ReasonCode } from '../intent/reasons.ts';
import { isLive } from '../node/liveness.ts';
import { digestOf } from '../spec/digest.ts';
import type { BuildSpec } from '../spec/service.ts';

export type BuildInputs = { service: string; sha: string; spec: BuildSpec };

/** Builds of one project with the same digest give the same image (P10). The time limit shapes no image. */
export function buildInputsDigest({ service, sha, spec }: BuildInputs): string {
  const { timeoutMs: _timeoutMs, ...shape } = spec;
  return digestOf({ service, sha, spec: shape });
}

export type BuildNode = {
  id: string;
  name: string;
  lastSeenAt: Date | null;
  cordoned: boolean;
  removed: boolean;
  capabilities: readonly Capability[];
  /** Builds that it makes at once, as it reported; 0 while it is short of what a build needs. */
  buildSlots: number;
  /** Build work offered to it or claimed by it, without what was told to stop. */
  runningBuilds: number;
  /** Offers that ran out unclaimed since it last claimed one; null when there are none. */
  lapsedOffers: { count: number; lastOfferedAt: Date } | null;
  diskFreeBytes: number | null;
};

export type Rejection = { nodeId: string; name: string; code: ReasonCode; message: string };

export type ChosenBuildNode =
  | { ok: true; nodeId: string; reasons: string[]; rejections: Rejection[] }
  | { ok: false; code: ReasonCode; reason: string; rejections: Rejection[] };

/** Below this a build would likely end with a full disk. */
export const minBuildDiskBytes = 1_000_000_000;

/**
 * The live node with a free slot and the fewest builds, then with the most disk left; the first by id among equals.
 * @param ahead Builds that have waited longer: they are named where this one has to wait, and change nothing else.
 */
export function chooseBuildNode(nodes: readonly BuildNode[], now: Date, ahead = 0): ChosenBuildNode {
  const rejections = nodes.flatMap((node) => rejection(node, now) ?? []).sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  const fit = nodes.filter((node) => rejection(node, now) === null).sort(compareBuildNodes);
  const chosen = fit[0];
  if (!chosen) return { ok: false, ...wait(rejections, ahead), rejections };
  const why = `${chosen.name}: ${chosen.runningBuilds} builds running, the fewest of ${fit.length} nodes that can build`;
  const disk = chosen.diskFreeBytes === null ? [] : [`${Math.round(chosen.diskFreeBytes / 1e9)} GB of disk free`];
  return { ok: true, nodeId: chosen.id, reasons: [why, ...disk], rejections };
}

/** Builds that could be offered now, on all nodes together. */
export function freeBuildSlots(nodes: readonly BuildNode[], now: Date): number {
  const fit = nodes.filter((node) => rejection(node, now) === null);
  return fit.reduce((sum, { buildSlots, runningBuilds }) => sum + buildSlots - runningBuilds, 0);
}

function wait(rejections: readonly Rejection[], ahead: number): { code: ReasonCode; reason: string } {
  const named = nodesByReason(rejections);
  const isBusy = rejections.some(({ code }) => code === 'node_builds_full' || code === 'node_offers_lapsed');
  const none = rejections.length === 0 ? 'No node is registered.' : named;
  if (!isBusy) return { code: 'no_build_node', reason: `No node can build just now. ${none}` };
  const line = ahead === 0 ? 'it is the next' : `${ahead} waited longer`;
  return { code: 'builders_busy', reason: `Waiting for a free builder; ${line}. ${named}` };
}

const namedNodes = 3;

function nodesByReason(rejections: readonly Rejection[]): string {
  const codes = [...new Set(rejections.map(({ code }) => code))];
  const sentences = codes.map((code) => {
    const names = rejections.filter((each) => each.code === code).map(({ name }) => name);
    const more = names.length > namedNodes ? ` and ${names.length - namedNodes} more` : '';
    return `${names.slice(0, namedNodes).join(', ')}${more}: ${reasons[code].means}`;
  });
  return sentences.join(' ');
}

function compareBuildNodes(a: BuildNode, b: BuildNode): number {
  return a.runningBuilds - b.runningBuilds || (b.diskFreeBytes ?? 0) - (a.diskFreeBytes ?? 0) || (a.id < b.id ? -1 : 1);
}

function rejection(node: BuildNode, now: Date): Rejection | null {
  const code = rejectionCode(node, now);
  return code === null ? null : { nodeId: node.id, name: node.name, code, message: reasons[code].means };
}

function rejectionCode(node: BuildNode, now: Date): ReasonCode | null {
  if (node.removed) return 'node_removed';
  if (node.cordoned) return 'node_cordoned';
  if (!isLive(node, now)) return 'node_silent';
  if (!node.capabilities.includes('build')) return 'node_cannot_build';
  if (node.diskFreeBytes !== null && node.diskFreeBytes < minBuildDiskBytes) return 'node_disk_low';
  if (node.buildSlots === 0) return 'node_builds_paused';
  if (node.runningBuilds >= node.buildSlots) return 'node_builds_full';
  return now < passedOverUntil(node) ? 'node_offers_lapsed' : null;
}

/** Twice as long after each offer that it lets run out. */
const passOver = { firstMs: 30_000, maxMs: 600_000 };

function passedOverUntil({ lapsedOffers }: BuildNode): Date {
  if (lapsedOffers === null) return new Date(0);
  const { count, lastOfferedAt } = lapsedOffers;
  const ms = Math.min(passOver.maxMs, passOver.firstMs * 2 ** (count - 1));
  return new Date(lastOfferedAt.getTime() + offerLeaseMs + ms);
}

/** A node that only restarts is back by then; long after, it has been told. */
const toldAfter = { fromMs: 20_000, untilMs: 60_000 };

/** Whether it is time to tell that no node can make a build that has waited since then; looked at every few seconds. */
export function isTimeToTell(askedAt: Date, now: Date): boolean {
  const waitedMs = now.getTime() - askedAt.getTime();
  return waitedMs >= toldAfter.fromMs && waitedMs < toldAfter.untilMs;
}

const hourMs = 3_600_000;
/** A node that restarts is back by then; one whose disk is full or that is cordoned has somebody who sees to it. */
const patience = { withoutBuilderMs: hourMs, withBuilderMs: 24 * hourMs };

/**
 * When a build that no node can make is given up: an hour after it was asked for and a node with BuildKit was last heard from, and a
 * day after it was asked for where there are such nodes.
 * @param askedAt When the build was asked for, or offered the last time.
 */
export function givenUpAt(askedAt: Date, nodes: readonly BuildNode[]): Date {
  const builders = nodes.filter(({ removed, capabilities }) => !removed && capabilities.includes('build'));
  const heardAt = builders.map(({ lastSeenAt }) => lastSeenAt?.getTime() ?? 0);
  const alone = Math.max(askedAt.getTime(), ...heardAt) + patience.withoutBuilderMs;
  return new Date(Math.min(alone, askedAt.getTime() + patience.withBuilderMs));
}

export type BuildRow = { id: string; status: BuildStatus; timeoutMs: number };

export type BuildWork = {
  id: string;
  nodeId: string;
  attempt: number;
  status: 'offered' | 'claimed' | 'succeeded' | 'failed' | 'cancelled' | 'expired';
  createdAt: Date;
  claimedAt: Date | null;
  leaseUntil: Date | null;
  cancelCode: string | null;
};

export type BuildStep =
  /** Offer attempt `attempt`; first mark the work in `expire` as expired. `avoid`: nodes that lost an earlier attempt. */
  | { kind: 'offer'; attempt: number; expire: string[]; avoid: string[] }
  /** Set the cancel code on this live work, wake its node, and look again at `until`. */
  | { kind: 'cancel'; workIds: string[]; code: ReasonCode; until: Date | null }
  /** End the build as failed; mark the work in `expire` as expired. */
  | { kind: 'fail'; code: ReasonCode; reason: string; expire: string[] }
  /** Nothing to do before then. */
  | { kind: 'wait'; until: Date }
  /** The build has ended; mark the work in `expire` as expired: its node did not heed the cancellation. */
  | { kind: 'finished'; expire: string[] };

/** An offer that is not claimed by then goes to another node. It was no attempt: nobody has built. */
export const offerLeaseMs = 30_000;
/** A lease that has just run out may still be renewed by a request under way. */
const leaseSlackMs = 2_000;
/** The agent ends a build at its own limit; later than this it is not heeding it. */
const timeoutSlackMs = 60_000;
const cancelPatienceMs = 30_000;
/** Of those that a node has claimed. */
export const maxBuildAttempts = 3;

export function nextBuildStep(build: BuildRow, work: readonly BuildWork[], now: Date): BuildStep {
  const byAttempt = work.toSorted((a, b) => a.attempt - b.attempt || (a.id < b.id ? -1 : 1));
  const live = byAttempt.filter(({ status }) => status === 'offered' || status === 'claimed');
  if (build.status === 'succeeded' || build.status === 'failed') return afterEnd(live, 'cancelled', now);
  if (build.status === 'superseded' || build.status === 'cancelled') return afterEnd(live, build.status, now);

  const last = byAttempt.at(-1);
  const current = live.at(-1);
  if (!current) return last ? another(byAttempt, []) : { kind: 'offer', attempt: 1, expire: [], avoid: [] };
  const lostAt = leaseEnd(current);
  if (lostAt <= now.getTime()) return another(byAttempt, ids(live));
  return withinTime(build, current, { lostAt, now });
}

function withinTime(build: BuildRow, current: BuildWork, { lostAt, now }: { lostAt: number; now: Date }): BuildStep {
  if (!current.claimedAt) return { kind: 'wait', until: new Date(lostAt) };
  const cancelAt = current.claimedAt.getTime() + build.timeoutMs + timeoutSlackMs;
  const failAt = cancelAt + cancelPatienceMs;
  if (now.getTime() >= failAt) {
    return { kind: 'fail', code: 'timed_out', reason: reasons.timed_out.means, expire: [current.id] };
  }
  if (now.getTime() >= cancelAt && current.cancelCode === null) {
    return { kind: 'cancel', workIds: [current.id], code: 'timed_out', until: new Date(failAt) };
  }
  return { kind: 'wait', until: new Date(Math.min(lostAt, now.getTime() >= cancelAt ? failAt : cancelAt)) };
}

function another(work: readonly BuildWork[], expire: string[]): BuildStep {
  const last = work.at(-1)?.attempt ?? 0;
  const avoid = [...new Set(work.map(({ nodeId }) => nodeId))].sort();
  const claimed = work.filter(({ claimedAt }) => claimedAt !== null).length;
  if (claimed < maxBuildAttempts) return { kind: 'offer', attempt: last + 1, expire, avoid };
  return { kind: 'fail', code: 'builder_lost', reason: reasons.builder_lost.means, expire };
}

function afterEnd(live: readonly BuildWork[], code: 'cancelled' | 'superseded', now: Date): BuildStep {
  const lost = live.filter((item) => leaseEnd(item) <= now.getTime());
  const heeding = live.filter((item) => leaseEnd(item) > now.getTime());
  if (heeding.length === 0) return { kind: 'finished', expire: ids(lost) };
  const until = new Date(Math.min(...heeding.map(leaseEnd)));
  const untold = ids(heeding.filter(({ cancelCode }) => cancelCode === null));
  return untold.length > 0 ? { kind: 'cancel', workIds: untold, code, until } : { kind: 'wait', until };
}

function leaseEnd({ status, leaseUntil, createdAt }: BuildWork): number {
  if (leaseUntil) return leaseUntil.getTime() + leaseSlackMs;
  return createdAt.getTime() + offerLeaseMs + (status === 'claimed' ? leaseSlackMs : 0);
}

function ids(work: readonly BuildWork[]): string[] {
  return work.map(({ id }) => id);
}
