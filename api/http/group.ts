/** Groups calls into one: what arrives while a group is under way makes the next group. */

interface Waiting<In, Out> {
  item: In;
  resolve: (out: Out) => void;
  reject: (error: unknown) => void;
}

/**
 * @param run Answers every item of the group, in order. When it throws, each call of the group throws the same.
 * @param max Items in one group.
 */
export function groupCalls<In, Out>(
  run: (items: readonly In[]) => Promise<readonly Out[]>,
  max: number,
): (item: In) => Promise<Out> {
  let waiting: Waiting<In, Out>[] = [];
  let running = false;

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting.slice(0, max);
      waiting = waiting.slice(max);
      await settle(group);
    }
    running = false;
  }

  async function settle(group: readonly Waiting<In, Out>[]): Promise<void> {
    try {
      const answers = await run(group.map(({ item }) => item));
      if (answers.length !== group.length) throw new Error('A group was answered in part.');
      group.forEach(({ resolve }, index) => resolve(answers[index] as Out));
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (running) return;
      running = true;
      // One turn of the event loop later, so that requests read from the sockets together share a group.
      setImmediate(() => void drain());
    });
}
