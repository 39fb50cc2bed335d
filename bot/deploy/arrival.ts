/** Tells from the ledger whether a pushed head is the branch's newest: deliveries may arrive in any order. */

export interface PushedHead {
  before: string;
  after: string;
}

/**
 * Sure only when the arrivals form one chain that the push continues, and none of them begins where it ends. Otherwise (a
 * delivery is missing or late, or the branch was set back to a commit it had before) only GitHub knows.
 */
export function surelyNewest(push: PushedHead, others: readonly PushedHead[]): boolean {
  const arrivals = [...others, push];
  const isChain = arrivals.every(({ before }, index) => index === 0 || arrivals[index - 1]?.after === before);
  return isChain && !others.some(({ before }) => before === push.after);
}
