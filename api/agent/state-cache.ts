/**
 * The entity tag of each node's expected state, for the generation it was computed of.
 *
 * It is never trusted by itself: every request brings the node's generation, read from the database after the request came.
 * Whatever changes the state bumps the generation in the same transaction, so an equal generation means an equal state
 * (docs/adr/0005-expected-state-by-generation.md). What is kept is a hundred bytes a node, however large its state is.
 */

export interface NodeState {
  generation: number;
  etag: string;
  /** The answer, as JSON text. */
  body: string;
}

export interface StateCache {
  /** The tag, when it is known for this generation. */
  etagOf(nodeId: string, generation: number): string | null;
  /** Computes the state anew. Null: the node is gone. */
  load(nodeId: string): Promise<NodeState | null>;
}

export function createStateCache(compute: (nodeId: string) => Promise<NodeState | null>, limit = 20_000): StateCache {
  const tags = new Map<string, { generation: number; etag: string }>();

  function keep(nodeId: string, { generation, etag }: NodeState): void {
    const known = tags.get(nodeId);
    if (known !== undefined && known.generation > generation) return;
    tags.delete(nodeId);
    tags.set(nodeId, { generation, etag });
    const [oldest] = tags.keys();
    if (tags.size > limit && oldest !== undefined) tags.delete(oldest);
  }

  return {
    etagOf(nodeId, generation) {
      const known = tags.get(nodeId);
      return known?.generation === generation ? known.etag : null;
    },
    async load(nodeId) {
      const state = await compute(nodeId);
      if (state === null) tags.delete(nodeId);
      else keep(nodeId, state);
      return state;
    },
  };
}
