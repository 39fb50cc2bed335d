/** Plans what an agent does next, in order: orphans, starts, missing ones, wrong ones, names, routes, peers. */
import type { ExpectedContainer, ExpectedState } from '../contract/expected-state.ts';
import {
  actionKey,
  actionSubject,
  nodeParts,
  partAction,
  type Action,
  type ContainerAction,
  type RedeployCause,
} from './action.ts';
import { labelNames } from './labels.ts';
import type { LocalContainer, Observed } from './observed.ts';
import { sideBySide } from './side-by-side.ts';

const steps: Action['kind'][] = [
  ...(['stop_orphan', 'start', 'deploy_missing', 'redeploy'] as const),
  ...(['update_dns', 'update_routes', 'update_peers'] as const),
];

/**
 * Sorted by step, then by allocation and container id (P17). Empty: no drift, or all of it waits. An action that failed or a
 * container that exited waits by itself; the others go on (P02). Nothing in it needs the end of a removal in it: those are begun in
 * their turn and go on side by side, the others are carried out one at a time.
 */
export function plan(expected: ExpectedState, observed: Observed, now: Date): Action[] {
  const due = drift(expected, observed, now).filter((action) => waitsUntil(action, observed, now) === null);
  return sideBySide(due, observed);
}

/** The earliest time at which `plan` may answer otherwise by itself; null: only a change can. */
export function planAgainAt(expected: ExpectedState, observed: Observed, now: Date): Date | null {
  const waits = drift(expected, observed, now).map((action) => waitsUntil(action, observed, now));
  const leases = expected.containers.map((container) => leaseEnd(container, now));
  const times = [...waits, ...leases].filter((time) => time !== null).map(Number);
  return times.length > 0 ? new Date(Math.min(...times)) : null;
}

/** Whether nothing is left to do, what waits and what is under way included. */
export function isConverged(expected: ExpectedState, observed: Observed, now: Date): boolean {
  return observed.underWay.length === 0 && drift(expected, observed, now).length === 0;
}

/** A state of an older generation than the one applied is refused by name (P21). */
export function admitGeneration(
  applied: { nodeId: string; generation: number } | null,
  incoming: { nodeId: string; generation: number },
): { ok: true } | { ok: false; code: 'generation_stale' | 'wrong_node'; message: string } {
  if (applied === null) return { ok: true };
  if (applied.nodeId !== incoming.nodeId) {
    const message = `This state is of node ${incoming.nodeId}; this is node ${applied.nodeId}.`;
    return { ok: false, code: 'wrong_node', message };
  }
  if (incoming.generation >= applied.generation) return { ok: true };
  const message = `Generation ${incoming.generation} is older than ${applied.generation}, which has been applied.`;
  return { ok: false, code: 'generation_stale', message };
}

/** Every difference, whether or not something is done about it now. */
function drift(expected: ExpectedState, observed: Observed, now: Date): Action[] {
  const parts = nodeParts
    .filter((part) => observed.parts[part].length > 0)
    .map((part) => partAction(part, observed.parts[part]));
  return [...containerDrift(expected, observed, now), ...parts].sort(compareActions);
}

/** What is leased to a piece of work is none (P01). */
function containerDrift(expected: ExpectedState, observed: Observed, now: Date): ContainerAction[] {
  const wanted = new Map(expected.containers.map((container) => [container.allocationId, container]));
  // What runs of a service whose rows were not understood keeps running: nobody said that it should stop (P04).
  const withheld = new Set(expected.problems.map(({ serviceId }) => serviceId));
  const present = new Map<string, LocalContainer>();
  const actions: ContainerAction[] = [];
  const ours = observed.containers.filter(({ labels }) => labels[labelNames.allocationId] !== undefined);
  for (const local of ours.toSorted((a, b) => compareClaims(a, b, wanted))) {
    const allocationId = allocationOf(local);
    const container = wanted.get(allocationId);
    if (container && leaseEnd(container, now) !== null) continue;
    if (container && !present.has(allocationId)) present.set(allocationId, local);
    else if (!container && withheld.has(local.labels[labelNames.serviceId] ?? '')) continue;
    else
      actions.push({
        kind: 'stop_orphan',
        allocationId,
        containerId: local.containerId,
        force: local.state === 'dead',
      });
  }
  const free = expected.containers.filter((container) => leaseEnd(container, now) === null);
  actions.push(...free.flatMap((container) => difference(container, present.get(container.allocationId))));
  return actions;
}

function difference(container: ExpectedContainer, local: LocalContainer | undefined): ContainerAction[] {
  const { allocationId } = container;
  if (!local) return [{ kind: 'deploy_missing', allocationId, container }];
  const { containerId } = local;
  const cause = redeployCause(container, local);
  if (cause) return [{ kind: 'redeploy', allocationId, containerId, container, cause, force: cause === 'dead' }];
  return local.state === 'running' ? [] : [{ kind: 'start', allocationId, containerId, container }];
}

function redeployCause(container: ExpectedContainer, local: LocalContainer): RedeployCause | null {
  if (local.state === 'dead') return 'dead';
  if (local.image !== null && local.image !== container.image) return 'image';
  if (local.labels[labelNames.spec] !== container.specDigest) return 'spec';
  if (local.ip !== null && local.ip !== container.ip) return 'address';
  return local.state === 'other' || local.state === 'stopping' ? 'state' : null;
}

function waitsUntil(action: Action, { backoffs, restarts }: Observed, now: Date): Date | null {
  const backoff = backoffs.find(({ key }) => key === actionKey(action));
  const restart =
    action.kind === 'start' ? restarts.find(({ allocationId }) => allocationId === action.allocationId) : undefined;
  const until = Math.max(backoff?.retryAt.getTime() ?? 0, restart?.retryAt.getTime() ?? 0);
  return until > now.getTime() ? new Date(until) : null;
}

function leaseEnd({ leasedUntil }: ExpectedContainer, now: Date): Date | null {
  const until = leasedUntil === null ? null : new Date(leasedUntil);
  return until && until > now ? until : null;
}

/** Of several containers for one allocation the one to keep comes first: as specified, then running, then by id. */
function compareClaims(a: LocalContainer, b: LocalContainer, wanted: Map<string, ExpectedContainer>): number {
  const rank = (local: LocalContainer) => {
    const container = wanted.get(allocationOf(local));
    const asSpecified = container !== undefined && redeployCause(container, local) === null;
    return (asSpecified ? 0 : 2) + (local.state === 'running' ? 0 : 1);
  };
  return rank(a) - rank(b) || (a.containerId < b.containerId ? -1 : 1);
}

function compareActions(a: Action, b: Action): number {
  const key = (action: Action) => `${actionSubject(action)} ${'containerId' in action ? action.containerId : ''}`;
  return steps.indexOf(a.kind) - steps.indexOf(b.kind) || (key(a) < key(b) ? -1 : 1);
}

function allocationOf({ labels }: LocalContainer): string {
  return labels[labelNames.allocationId] ?? '';
}
