/** Collects what arrives while a commit is under way into the next one: alone it goes at once, under load in groups. */

export interface GroupCommit<Item, Result> {
  /** Settles when the group that the item went with is committed, or has failed. */
  add(item: Item): Promise<Result>;
}

export interface GroupLimits<Item> {
  /** Commits under way at the same time. */
  concurrency: number;
  maxItems: number;
  /** Sum of `sizeOf` over a group; one item may be larger by itself. */
  maxSize: number;
  sizeOf: (item: Item) => number;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/** `commit` gives one result per item, in their order. */
export function groupCommit<Item, Result>(
  commit: (items: Item[]) => Promise<Result[]>,
  limits: GroupLimits<Item>,
): GroupCommit<Item, Result> {
  let waiting: Waiting<Item, Result>[] = [];
  let running = 0;
  let scheduled = false;

  const takeGroup = (): Waiting<Item, Result>[] => {
    let size = 0;
    let count = 0;
    for (const { item } of waiting) {
      size += limits.sizeOf(item);
      if (count > 0 && (size > limits.maxSize || count >= limits.maxItems)) break;
      count++;
    }
    const group = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return group;
  };

  const commitGroup = async (group: Waiting<Item, Result>[]): Promise<void> => {
    try {
      const results = await commit(group.map(({ item }) => item));
      group.forEach(({ resolve }, index) => resolve(results[index] as Result));
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      running--;
      start();
    }
  };

  const start = (): void => {
    while (running < limits.concurrency && waiting.length > 0) {
      running++;
      void commitGroup(takeGroup());
    }
  };

  return {
    add(item) {
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        if (scheduled) return;
        scheduled = true;
        // After the sockets that are readable now were read: what arrived together goes together.
        setImmediate(() => {
          scheduled = false;
          start();
        });
      });
    },
  };
}
