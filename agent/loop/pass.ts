/**
 * PROCESSING: closes the drift against one snapshot of expected state. One action at a time, each under a deadline, with a fresh look
 * at the node before the next, until nothing is left to do or the pass has had its time (P03).
 */
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { actionKey, actionSubject, describe, type Action } from '../../core/plan/action.ts';
import { plan } from '../../core/plan/plan.ts';
import type { Observed, PartDifferences } from '../../core/plan/observed.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import type { NodeParts } from '../parts/parts.ts';
import type { Execute } from '../podman/execute.ts';
import type { Observe, SeenContainer } from '../podman/observe.ts';
import { withDeadline } from '../process/deadline.ts';
import type { Clock } from './clock.ts';
import { ActionFailed } from './failure.ts';
import { newExits, noteExit, noteFailure, noteInForce, noteSuccess, type Failure, type Memory } from './memory.ts';

export interface PassLimits {
  /** Of the whole pass. */
  passMs: number;
  /** Of one action, the grace period of a stop not counted. */
  actionMs: number;
}

export const defaultLimits: PassLimits = { passMs: 300_000, actionMs: 240_000 };

export interface PassPorts {
  clock: Clock;
  limits: PassLimits;
  /** Aborted when the agent stops: the action under way is cancelled. */
  signal: AbortSignal;
  observe: Observe;
  execute: Execute;
  parts: NodeParts;
  /** The last lines a container wrote, for a person; empty when they cannot be had. */
  logTail: (seen: SeenContainer) => Promise<string[]>;
  /** Something changed that the control plane would like to know now. */
  changed: (seen: readonly SeenContainer[]) => void;
  log: (line: string) => void;
}

/**
 * What is on the node when the pass ends. An action is tried once in a pass, so one that fails at length does not keep the ones
 * behind it from their turn (P02); its backoff wakes the loop again.
 */
export async function runPass(expected: ExpectedState, memory: Memory, ports: PassPorts): Promise<Seen> {
  const endsAt = ports.clock.now().getTime() + ports.limits.passMs;
  const tried = new Map<string, 'done' | 'failed'>();
  for (;;) {
    const seen = await look(memory, ports);
    const parts = await lookAtParts(expected, memory, ports);
    if (tried.size > 0) ports.changed(seen);
    const planned = plan(expected, observedBy(memory, { seen, parts }), ports.clock.now());
    noteThoseThatDidNotHold(planned, tried, { memory, now: ports.clock.now() });
    const action = planned.find((one) => !tried.has(attemptKey(one, memory)));
    const leftMs = endsAt - ports.clock.now().getTime();
    if (action === undefined || leftMs <= 0 || ports.signal.aborted) return { seen, parts };
    const key = attemptKey(action, memory);
    const startedAt = ports.clock.now();
    const failure = await attempt(action, { expected, memory, seen, leftMs }, ports);
    tried.set(key, failure === null ? 'done' : 'failed');
    const timing = { startedAt, now: ports.clock.now() };
    if (failure === null) noteSuccess(memory, action, timing);
    else noteFailure(memory, { action, failure }, timing);
    ports.log(`${describe(action)}: ${failure === null ? 'done' : failure.message}`);
  }
}

/** The engine said it was done, and the same difference is still there. */
function noteThoseThatDidNotHold(
  planned: readonly Action[],
  tried: Map<string, 'done' | 'failed'>,
  { memory, now }: { memory: Memory; now: Date },
): void {
  for (const action of planned) {
    const key = attemptKey(action, memory);
    if (tried.get(key) !== 'done') continue;
    tried.set(key, 'failed');
    const message = `${describe(action)} succeeded, but the difference is still there.`;
    noteFailure(memory, { action, failure: { code: stepOf(action), message } }, { startedAt: now, now });
  }
}

/** What is on the node. */
export interface Seen {
  seen: readonly SeenContainer[];
  parts: PartDifferences;
}

export function observedBy(memory: Memory, { seen, parts }: Seen): Observed {
  return {
    containers: seen.map(({ local }) => local),
    backoffs: [...memory.backoffs.values()],
    restarts: [...memory.restarts.values()],
    parts,
  };
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
  const seen = await ports.observe();
  for (const exited of newExits(memory, seen)) {
    noteExit(memory, { seen: exited, lastLog: await ports.logTail(exited) }, ports.clock.now());
  }
  return seen;
}

interface Attempt {
  expected: ExpectedState;
  memory: Memory;
  seen: readonly SeenContainer[];
  leftMs: number;
}

async function attempt(
  action: Action,
  { expected, memory, seen, leftMs }: Attempt,
  ports: PassPorts,
): Promise<Failure | null> {
  const milliseconds = Math.min(ports.limits.actionMs, leftMs);
  try {
    await withDeadline({ what: describe(action), milliseconds, signal: ports.signal }, (signal) => {
      if ('part' in action) return ports.parts.apply(action.part, expected);
      const onPulling = (): void => {
        memory.pulling.add(action.allocationId);
        ports.changed(seen);
      };
      return ports.execute(action, { expected, signal, onPulling });
    });
    return null;
  } catch (error) {
    if (error instanceof ActionFailed) return { code: error.code, message: error.message };
    const isPulling = memory.pulling.has(actionSubject(action));
    return { code: isPulling ? 'pull_failed' : stepOf(action), message: sentenceOf(error) };
  } finally {
    memory.pulling.delete(actionSubject(action));
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
