/** Tells from the ledger whether a pushed head is the branch's newest: deliveries may arrive in any order. */

export interface PushedHead {
  before: string;
  after: string;
}

/**
 * Sure only when the push follows the last arrival and nothing that arrived follows the push. Otherwise (a delivery is missing,
 * late, or the branch was set back to a commit it had before) only GitHub knows.
 */
export function surelyNewest(push: PushedHead, others: readonly PushedHead[]): boolean {
  const last = others.at(-1);
  if (last === undefined) return true;
  return last.after === push.before && !others.some(({ before }) => before === push.after);
}
