/** Puts calls of one moment into one group: alone a call goes at once, under load what arrives meanwhile goes together. */

export interface GroupLimits<In> {
  /** Items in one group. */
  maxItems: number;
  /** Groups under way at the same time; 1 by default. */
  concurrency?: number;
  /** Sum of `of` over a group; one item may be larger by itself. */
  size?: { max: number; of: (item: In) => number };
}

interface Waiting<In, Out> {
  item: In;
  resolve: (out: Out) => void;
  reject: (error: unknown) => void;
}

/** @param run Answers every item of the group, in order. When it throws, each call of the group throws the same. */
export function groupCalls<In, Out>(
  run: (items: readonly In[]) => Promise<readonly Out[]>,
  limits: GroupLimits<In>,
): (item: In) => Promise<Out> {
  let waiting: Waiting<In, Out>[] = [];
  let running = 0;
  let scheduled = false;

  const takeGroup = (): Waiting<In, Out>[] => {
    const items = waiting.slice(0, limits.maxItems).map(({ item }) => item);
    const group = waiting.slice(0, fitting(items, limits.size));
    waiting = waiting.slice(group.length);
    return group;
  };

  const settle = async (group: readonly Waiting<In, Out>[]): Promise<void> => {
    try {
      const answers = await run(group.map(({ item }) => item));
      if (answers.length !== group.length) throw new Error('A group was answered in part.');
      group.forEach(({ resolve }, index) => resolve(answers[index] as Out));
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
    running--;
    start();
  };

  const start = (): void => {
    while (running < (limits.concurrency ?? 1) && waiting.length > 0) {
      running++;
      void settle(takeGroup());
    }
  };

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (scheduled) return;
      scheduled = true;
      // After the sockets that are readable now were read: what arrived together goes together.
      setImmediate(() => {
        scheduled = false;
        start();
      });
    });
}

/** How many of the first make one group; at least one. */
function fitting<In>(items: readonly In[], size: GroupLimits<In>['size']): number {
  if (size === undefined) return items.length;
  let total = 0;
  const tooMany = items.findIndex((item) => (total += size.of(item)) > size.max);
  return tooMany === -1 ? items.length : Math.max(1, tooMany);
}
