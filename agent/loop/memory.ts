/** What the loop remembers from pass to pass: backoffs, exits, failures, and results not yet reported. */
import type { ActionResult } from '../../core/contract/status.ts';
import type { Action, Removal } from '../../core/plan/action.ts';
import { actionKey, actionSubject, nodeParts, type NodePart } from '../../core/plan/action.ts';
import { afterExit, afterFailure } from '../../core/plan/backoff.ts';
import type { Backoff, PartDifferences, RestartRecord } from '../../core/plan/observed.ts';
import type { SeenContainer } from '../podman/observe.ts';
import type { DetailCode } from './failure.ts';

export interface Failure {
  code: DetailCode;
  message: string;
}

export interface LastExit {
  containerId: string;
  /** Which of its runs ended. */
  startedAt: Date | null;
  exitCode: number;
  outOfMemory: boolean;
  lastLog: string[];
}

export interface Memory {
  readonly backoffs: Map<string, Backoff>;
  /** By allocation, as everything below. */
  readonly restarts: Map<string, RestartRecord>;
  readonly exits: Map<string, LastExit>;
  readonly failures: Map<string, Failure>;
  /** Being fetched right now. */
  readonly pulling: Set<string>;
  /** Removals that go on while the loop does, by key. `ended` never rejects. */
  readonly underWay: Map<string, { action: Removal; ended: Promise<void> }>;
  /** Containers that were asked to stop, until their removal has ended. */
  readonly stopping: Set<string>;
  /** Attempts that ended well since the last look. */
  unconfirmed: Set<string>;
  results: ActionResult[];
  /** Generation of the newest expected state whose part was found in force. */
  inForce: Record<NodePart, number>;
}

/** The contract takes no more in one report; the oldest go first. */
const maxResults = 200;
const maxMessage = 2_000;

export function emptyMemory(): Memory {
  return {
    backoffs: new Map(),
    restarts: new Map(),
    exits: new Map(),
    failures: new Map(),
    pulling: new Set(),
    underWay: new Map(),
    stopping: new Set(),
    unconfirmed: new Set(),
    results: [],
    inForce: { dns: 0, routes: 0, peers: 0 },
  };
}

/** A part in which nothing differs is as this generation wants it. */
export function noteInForce(memory: Memory, generation: number, differences: PartDifferences): void {
  for (const part of nodeParts)
    if (differences[part].length === 0) memory.inForce[part] = Math.max(memory.inForce[part], generation);
}

export function removalsUnderWay(memory: Memory): Removal[] {
  return [...memory.underWay.values()].map(({ action }) => action);
}

/** The engine calls it running until it has stopped, and exited until it is removed: it is neither to be probed nor to count as a crash. */
export function withStopping({ stopping }: Pick<Memory, 'stopping'>, seen: SeenContainer): SeenContainer {
  const { local } = seen;
  const isThere = local.state === 'running' || local.state === 'exited';
  if (!isThere || !stopping.has(local.containerId)) return seen;
  return { ...seen, local: { ...local, state: 'stopping' } };
}

/** The attempts that the look which begins now shows the outcome of. */
export function takeUnconfirmed(memory: Memory): ReadonlySet<string> {
  const taken = memory.unconfirmed;
  memory.unconfirmed = new Set();
  return taken;
}

/** Runs that ended since the last look, but for those that were made to: a container is counted once per start. */
export function newExits(
  memory: Memory,
  seen: readonly SeenContainer[],
  underWay: readonly Removal[],
): SeenContainer[] {
  return seen.filter(({ local, allocationId, startedAt }) => {
    if (local.state !== 'exited' || underWay.some(({ containerId }) => containerId === local.containerId)) return false;
    const known = memory.exits.get(allocationId);
    return known?.containerId !== local.containerId || known.startedAt?.getTime() !== startedAt?.getTime();
  });
}

export function noteExit(memory: Memory, exit: { seen: SeenContainer; lastLog: string[] }, now: Date): void {
  const { allocationId, startedAt, exitCode, outOfMemory, local } = exit.seen;
  const previous = memory.restarts.get(allocationId) ?? null;
  memory.restarts.set(allocationId, afterExit(previous, { allocationId, startedAt, exitedAt: now }));
  const lastExit = { containerId: local.containerId, startedAt, exitCode, outOfMemory, lastLog: exit.lastLog };
  memory.exits.set(allocationId, lastExit);
}

export function noteSuccess(memory: Memory, action: Action, timing: { startedAt: Date; now: Date }): void {
  memory.backoffs.delete(actionKey(action));
  memory.failures.delete(actionSubject(action));
  pushResult(memory, result(action, timing, { ok: true, message: null, retryAt: null }));
}

export function noteFailure(
  memory: Memory,
  failed: { action: Action; failure: Failure },
  timing: { startedAt: Date; now: Date },
): void {
  const { action, failure } = failed;
  const key = actionKey(action);
  const backoff = afterFailure(memory.backoffs.get(key) ?? null, key, timing.now);
  memory.backoffs.set(key, backoff);
  if (action.kind !== 'stop_orphan' && !('part' in action)) memory.failures.set(action.allocationId, failure);
  const retryAt = backoff.retryAt.toISOString();
  pushResult(memory, result(action, timing, { ok: false, message: failure.message.slice(0, maxMessage), retryAt }));
}

/** Forgets what is neither expected nor here any more. */
export function forgetAbsent(memory: Memory, allocationIds: ReadonlySet<string>): void {
  for (const map of [memory.restarts, memory.exits, memory.failures]) {
    for (const id of map.keys()) if (!allocationIds.has(id)) map.delete(id);
  }
}

/** The control plane has these. */
export function forgetReported(memory: Memory, reported: readonly ActionResult[]): void {
  memory.results = memory.results.filter((one) => !reported.includes(one));
}

function result(
  action: Action,
  timing: { startedAt: Date; now: Date },
  outcome: Pick<ActionResult, 'ok' | 'message' | 'retryAt'>,
): ActionResult {
  return {
    kind: action.kind,
    subject: actionSubject(action),
    at: timing.now.toISOString(),
    durationMs: timing.now.getTime() - timing.startedAt.getTime(),
    ...outcome,
  };
}

function pushResult(memory: Memory, one: ActionResult): void {
  memory.results = [...memory.results, one].slice(-maxResults);
}
