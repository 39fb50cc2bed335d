/**
 * PROCESSING: closes the drift against one snapshot of expected state. One action at a time, each under a deadline, with a fresh look
 * at the node before the next, until nothing is left to do or the pass has had its time (P03). Removals are begun in their turn and not
 * waited for: a container may take its whole grace to stop.
 */
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { actionKey, actionSubject, describe, isRemoval, type Action, type Removal } from '../../core/plan/action.ts';
import { plan } from '../../core/plan/plan.ts';
import type { Observed, PartDifferences } from '../../core/plan/observed.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import type { NodeParts } from '../parts/parts.ts';
import type { Execute } from '../podman/execute.ts';
import type { Observe, SeenContainer } from '../podman/observe.ts';
import { withDeadline } from '../process/deadline.ts';
import type { Clock } from './clock.ts';
import { ActionFailed } from './failure.ts';
import {
  newExits,
  noteExit,
  noteFailure,
  noteInForce,
  noteSuccess,
  removalsUnderWay,
  takeUnconfirmed,
  withStopping,
  type Failure,
  type Memory,
} from './memory.ts';

export interface PassLimits {
  /** Of the whole pass. */
  passMs: number;
  /** Of one action; the grace of a container that it stops comes on top. */
  actionMs: number;
}

export const defaultLimits: PassLimits = { passMs: 300_000, actionMs: 240_000 };

export interface PassPorts {
  clock: Clock;
  limits: PassLimits;
  /** Aborted when the agent stops: what is under way is cancelled. */
  signal: AbortSignal;
  observe: Observe;
  execute: Execute;
  parts: NodeParts;
  /** The newest expected state. */
  current: () => ExpectedState | null;
  /** The last lines a container wrote, for a person; empty when they cannot be had. */
  logTail: (seen: SeenContainer) => Promise<string[]>;
  /** Something changed that the control plane would like to know now. */
  changed: (seen: readonly SeenContainer[]) => void;
  /** Something that goes on beside the loop has come further: it looks again. */
  wake: () => void;
  log: (line: string) => void;
}

/**
 * What is on the node when the pass ends. An action is tried once in a pass, so one that fails at length does not keep the ones
 * behind it from their turn (P02); its backoff wakes the loop again. Removals that were begun may go on after it.
 */
export async function runPass(expected: ExpectedState, memory: Memory, ports: PassPorts): Promise<Seen> {
  const endsAt = ports.clock.now().getTime() + ports.limits.passMs;
  const tried = new Set<string>();
  for (;;) {
    const unconfirmed = takeUnconfirmed(memory);
    const found = await lookAround(expected, memory, ports);
    if (tried.size > 0) ports.changed(found.seen);
    const planned = plan(expected, observedBy(memory, found), ports.clock.now());
    for (const action of thatDidNotHold(planned, unconfirmed, { memory, now: ports.clock.now() }))
      tried.add(attemptKey(action, memory));
    const due = planned.filter((action) => !tried.has(attemptKey(action, memory)));
    const leftMs = endsAt - ports.clock.now().getTime();
    if (due.length === 0 || leftMs <= 0 || ports.signal.aborted) return found;
    const scene = { expected, memory, seen: found.seen };
    const next = due.find((action) => !isRemoval(action));
    const turn = next === undefined ? due : due.slice(0, due.indexOf(next) + 1);
    for (const action of turn) tried.add(attemptKey(action, memory));
    for (const removal of turn.filter(isRemoval)) begin(removal, scene, ports);
    if (next !== undefined) {
      const action = carryOut(next, { ...scene, withinMs: Math.min(ports.limits.actionMs, leftMs) }, ports);
      await reportingMeanwhile(action, memory, ports);
    }
  }
}

/** A third of the time after which a node that says nothing counts as lost. */
const reportEveryMs = 10_000;

/** An image may take minutes to come: the node is looked at and reported all the same. */
async function reportingMeanwhile(action: Promise<unknown>, memory: Memory, ports: PassPorts): Promise<void> {
  let isOver = false;
  let cancel = (): void => undefined;
  const report = async (): Promise<void> => {
    try {
      const seen = await look(memory, ports);
      if (!isOver) ports.changed(seen);
    } catch (error) {
      ports.log(`The node cannot be looked at: ${messageOf(error)}`);
    }
    schedule();
  };
  const schedule = (): void => {
    if (!isOver) cancel = ports.clock.after(reportEveryMs, () => void report());
  };
  schedule();
  await action;
  isOver = true;
  cancel();
}

/** The engine said it was done, and the same difference is still there. */
function thatDidNotHold(
  planned: readonly Action[],
  unconfirmed: ReadonlySet<string>,
  { memory, now }: { memory: Memory; now: Date },
): Action[] {
  const failed = planned.filter((action) => unconfirmed.has(attemptKey(action, memory)));
  for (const action of failed) {
    const message = `${describe(action)} succeeded, but the difference is still there.`;
    noteFailure(memory, { action, failure: { code: stepOf(action), message } }, { startedAt: now, now });
  }
  return failed;
}

interface Scene {
  expected: ExpectedState;
  memory: Memory;
  seen: readonly SeenContainer[];
  /** It goes on while the loop does: what was seen when it began may be long ago. */
  isBeside?: boolean;
}

/** Its end wakes the loop. */
function begin(action: Removal, scene: Scene, ports: PassPorts): void {
  const { underWay } = scene.memory;
  const key = actionKey(action);
  const ended = takeAway(action, { ...scene, withinMs: ports.limits.actionMs, isBeside: true }, ports).finally(() => {
    underWay.delete(key);
    ports.wake();
  });
  underWay.set(key, { action, ended });
}

/** What takes the place of a container comes at once: it waits for no pull that the loop is busy with. */
async function takeAway(action: Removal, scene: Scene & { withinMs: number }, ports: PassPorts): Promise<void> {
  const isGone = await carryOut(action, scene, ports);
  const expected = isGone && !ports.signal.aborted ? ports.current() : null;
  const successor = expected === null ? null : successorOf(action, scene, expected);
  if (expected !== null && successor !== null) await carryOut(successor, { ...scene, expected, isBeside: true }, ports);
}

/**
 * Only when it is expected as it was when its turn came: a change is the plan's, which may go by an older snapshot still. One that
 * moves may find its new address taken, and is the plan's too.
 */
function successorOf(action: Removal, { seen }: Scene, { containers }: ExpectedState): Action | null {
  if (action.kind !== 'redeploy') return null;
  const { allocationId, container } = action;
  const now = containers.find((one) => one.allocationId === allocationId);
  const before = seen.find(({ local }) => local.containerId === action.containerId);
  if (now === undefined || now.specDigest !== container.specDigest || now.leasedUntil !== null) return null;
  const stays = before === undefined || before.local.ip === null || before.local.ip === now.ip;
  return stays ? { kind: 'deploy_missing', allocationId, container: now } : null;
}

/** Never rejects: how it went is remembered. False: it failed. */
async function carryOut(action: Action, scene: Scene & { withinMs: number }, ports: PassPorts): Promise<boolean> {
  const { memory } = scene;
  const startedAt = ports.clock.now();
  const failure = await attempt(action, scene, ports);
  const timing = { startedAt, now: ports.clock.now() };
  if (failure === null) {
    noteSuccess(memory, action, timing);
    memory.unconfirmed.add(attemptKey(action, memory));
  } else noteFailure(memory, { action, failure }, timing);
  ports.log(`${describe(action)}: ${failure === null ? 'done' : failure.message}`);
  return failure === null;
}

/** What is on the node. */
export interface Seen {
  /** Begun and not ended before it was looked at. */
  underWay: readonly Removal[];
  seen: readonly SeenContainer[];
  parts: PartDifferences;
}

export function observedBy(memory: Memory, { seen, parts, underWay }: Seen): Observed {
  return {
    underWay,
    containers: seen.map(({ local }) => local),
    backoffs: [...memory.backoffs.values()],
    restarts: [...memory.restarts.values()],
    parts,
  };
}

async function lookAround(expected: ExpectedState, memory: Memory, ports: PassPorts): Promise<Seen> {
  // Before the look: of what ends meanwhile the containers may have been seen as they were.
  const underWay = removalsUnderWay(memory);
  const seen = await look(memory, ports);
  return { underWay, seen, parts: await lookAtParts(expected, memory, ports) };
}

/** Observes names, routes and peers, and keeps which generation of them is in force. */
async function lookAtParts(
  expected: ExpectedState,
  memory: Memory,
  ports: Pick<PassPorts, 'parts'>,
): Promise<PartDifferences> {
  const parts = await ports.parts.look(expected);
  noteInForce(memory, expected.generation, parts);
  return parts;
}

/** Observes, and keeps what an exited container said before it is started again. */
export async function look(
  memory: Memory,
  ports: Pick<PassPorts, 'observe' | 'logTail' | 'clock'>,
): Promise<SeenContainer[]> {
  const underWay = removalsUnderWay(memory);
  const seen = (await ports.observe()).map((one) => withStopping(memory, one));
  for (const exited of newExits(memory, seen, underWay)) {
    const lastLog = await ports.logTail(exited);
    // Another look may have been quicker.
    if (newExits(memory, [exited], underWay).length > 0) noteExit(memory, { seen: exited, lastLog }, ports.clock.now());
  }
  return seen;
}

async function attempt(
  action: Action,
  { expected, memory, seen, withinMs, isBeside = false }: Scene & { withinMs: number },
  ports: PassPorts,
): Promise<Failure | null> {
  const deadline = { what: describe(action), milliseconds: withinMs, signal: ports.signal };
  try {
    await withDeadline(deadline, (signal, extend) => {
      if ('part' in action) return ports.parts.apply(action.part, expected);
      const onPulling = (): void => {
        memory.pulling.add(action.allocationId);
        if (isBeside) ports.wake();
        else ports.changed(seen);
      };
      const onStopping = (containerId: string, graceMs: number): void => {
        memory.stopping.add(containerId);
        extend(graceMs);
      };
      return ports.execute(action, { expected, signal, onPulling, onStopping });
    });
    return null;
  } catch (error) {
    if (error instanceof ActionFailed) return { code: error.code, message: error.message };
    const isPulling = memory.pulling.has(actionSubject(action));
    return { code: isPulling ? 'pull_failed' : stepOf(action), message: sentenceOf(error) };
  } finally {
    memory.pulling.delete(actionSubject(action));
    if (isRemoval(action)) memory.stopping.delete(action.containerId);
  }
}

/** What a person has to do is said behind what happened. */
function sentenceOf(error: unknown): string {
  if (error instanceof StalledError && error.hint !== null) return `${error.message} ${error.hint}`;
  return messageOf(error);
}

/** Of a part of the node it is said in the result of the action alone. */
function stepOf(action: Action): Failure['code'] {
  return action.kind === 'start' || action.kind === 'stop_orphan' ? 'start_failed' : 'create_failed';
}

/** A container that exited again since is not the same difference. */
function attemptKey(action: Action, memory: Memory): string {
  const containerId = 'containerId' in action ? action.containerId : '';
  return `${actionKey(action)} ${containerId} ${memory.restarts.get(actionSubject(action))?.restarts ?? 0}`;
}
