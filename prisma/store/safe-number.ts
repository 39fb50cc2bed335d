/** GitHub's ids are 64-bit in the database and numbers in the code; none is beyond what a number holds exactly. */

/** Throws RangeError for an id beyond 2^53 - 1. */
export function safeNumber(id: bigint): number {
  if (id > BigInt(Number.MAX_SAFE_INTEGER) || id < 0n) throw new RangeError(`The id ${id} does not fit a number.`);
  return Number(id);
}
