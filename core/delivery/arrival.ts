/** Decides whether a pushed head is its branch's newest: deliveries arrive in any order, twice, or not at all. */
import { reasons } from '../intent/reasons.ts';
import { waitForGithub, type Wait } from './lag.ts';

export interface PushedHead {
  before: string;
  after: string;
}

/**
 * By the ledger alone. Sure only when the arrivals on the ref form one chain that the push continues, and none of them begins where
 * it ends. Otherwise (a delivery is missing or late, or the branch was set back to a commit it had before) only GitHub knows.
 * @param others The ledger without this delivery, oldest first.
 */
export function isSurelyNewest(push: PushedHead, others: readonly PushedHead[]): boolean {
  const arrivals = [...others, push];
  const isChain = arrivals.every(({ before }, index) => index === 0 || arrivals[index - 1]?.after === before);
  return isChain && !others.some(({ before }) => before === push.after);
}

export type ArrivalFacts = {
  push: PushedHead;
  /** The ref's head at GitHub now, null when there is no such ref. */
  atGithub: string | null;
  /** Since the push was sent. */
  ageMs: number;
};

export type ArrivalDecision =
  | { kind: 'newest' }
  /** GitHub may not show the push yet. */
  | Wait
  | { kind: 'ignored'; code: 'out_of_order'; reason: string };

/** Of a push that the ledger leaves in doubt. */
export function decideArrival({ push, atGithub, ageMs }: ArrivalFacts): ArrivalDecision {
  if (atGithub === push.after) return { kind: 'newest' };
  const wait = atGithub === push.before ? waitForGithub(ageMs) : null;
  return wait ?? { kind: 'ignored', code: 'out_of_order', reason: reasons.out_of_order.means };
}
