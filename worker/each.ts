/** Does all of several things, though some of them fail, and reports those together. */

/** @throws AggregateError `<count> <what failed>.` when at least one has failed. */
export async function each<T>(items: readonly T[], failed: string, act: (item: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  for (const item of items) await act(item).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} ${failed}.`);
}
