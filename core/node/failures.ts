/** Keeps what a node cannot do now: of the action results that its agent reports, the failures that nothing has followed yet. */
import Type, { type Static } from 'typebox';
import type { ActionResult } from '../contract/status.ts';
import type { Action } from '../plan/action.ts';

const Time = Type.String({ format: 'date-time' });

export const NodeFailure = Type.Object({
  /** Kind of the action (core/plan/action.ts). */
  kind: Type.String(),
  /** What it is done to: an allocation id, or a part of the node. */
  subject: Type.String(),
  message: Type.String(),
  /** When it failed last. */
  at: Time,
  /** When the agent tries again; null: it did not say. */
  retryAt: Type.Union([Time, Type.Null()]),
});
export type NodeFailure = Static<typeof NodeFailure>;

/** A node that cannot do more than that has one fault, not many. */
const maxFailures = 20;
const maxMessage = 1_000;
const maxName = 100;
/** Agents try again within a minute: what was tried no more is not asked of the node any more. */
const staleMs = 15 * 60_000;

export type ReportedActions = {
  /** In the order in which they were done. */
  actions: readonly ActionResult[];
  /** Nothing is left to do on the node. */
  converged: boolean;
};

/** Newest first. Equal to what was there before when the report says nothing new. */
export function failuresAfter(
  before: readonly NodeFailure[],
  { actions, converged }: ReportedActions,
  now: Date,
): NodeFailure[] {
  if (converged) return [];
  const failures = new Map(before.map((failure) => [keyOf(failure), failure]));
  for (const result of actions) {
    const failure = failureOf(result, now);
    if (result.ok) failures.delete(keyOf(failure));
    else failures.set(keyOf(failure), failure);
  }
  return [...failures.values()]
    .filter((failure) => isCurrent(failure, now))
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at) || (keyOf(a) < keyOf(b) ? -1 : 1))
    .slice(0, maxFailures);
}

/** Whether the node may still be unable to do it, for whoever reads the list between two reports. */
export function isCurrent({ at, retryAt }: NodeFailure, now: Date): boolean {
  return now.getTime() < Math.max(Date.parse(at), Date.parse(retryAt ?? at)) + staleMs;
}

/** What has begun to fail, or fails in another way, and what fails no more. */
export function failureNews(
  before: readonly NodeFailure[],
  after: readonly NodeFailure[],
): { begun: NodeFailure[]; ended: NodeFailure[] } {
  const find = (list: readonly NodeFailure[], one: NodeFailure) => list.find((other) => keyOf(other) === keyOf(one));
  return {
    begun: after.filter((one) => find(before, one)?.message !== one.message),
    ended: before.filter((one) => find(after, one) === undefined),
  };
}

const phrases: Record<Action['kind'], string> = {
  stop_orphan: 'stop a container that nothing expects',
  start: 'start the container',
  deploy_missing: 'deploy the replica',
  redeploy: 'deploy the replica anew',
  update_dns: 'update the names',
  update_routes: 'update the routes',
  update_peers: 'update the private network',
};

/** Goes on behind `cannot`: `stop a container that nothing expects (allocation 01a1…)`. */
export function describeFailure({ kind, subject }: Pick<NodeFailure, 'kind' | 'subject'>): string {
  const phrase = isKnown(kind) ? phrases[kind] : kind;
  return kind.startsWith('update_') ? phrase : `${phrase} (allocation ${subject})`;
}

/** An agent may be newer than this. */
function isKnown(kind: string): kind is Action['kind'] {
  return Object.hasOwn(phrases, kind);
}

/** The clock of a node may be ahead: what it says is taken for at most as long as an agent waits. */
function failureOf({ kind, subject, message, at, retryAt }: ActionResult, now: Date): NodeFailure {
  return {
    kind: kind.slice(0, maxName),
    subject: subject.slice(0, maxName),
    message: (message ?? 'The agent did not say why.').slice(0, maxMessage),
    at: noLater(at, now),
    retryAt: retryAt === null ? null : noLater(retryAt, new Date(now.getTime() + staleMs)),
  };
}

/** A leap second is a time, and none that can be read. */
function noLater(time: string, latest: Date): string {
  const given = Date.parse(time);
  return (given < latest.getTime() ? new Date(given) : latest).toISOString();
}

function keyOf({ kind, subject }: Pick<NodeFailure, 'kind' | 'subject'>): string {
  return `${kind} ${subject}`;
}
