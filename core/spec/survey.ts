/** Goes once over a parsed document: which keys stand twice in their mapping, and what each alias stands for. */
import { isAlias, isMap, isScalar, isSeq, type Alias, type Document, type Node } from 'yaml';

export type Survey = {
  /** Keys that their mapping has already. */
  repeated: Node[];
  /** Of an alias whose name stands nowhere before it there is none. */
  targets: ReadonlyMap<Alias, Node>;
};

/** Of a document that is not nested too deep. In time by its length, which yaml's own search for both is not. */
export function surveyOf(document: Document): Survey {
  const repeated: Node[] = [];
  const targets = new Map<Alias, Node>();
  const named = new Map<string, Node>();

  const walk = (node: unknown): void => {
    if (isAlias(node)) {
      const target = named.get(node.source);
      if (target !== undefined) targets.set(node, target);
      return;
    }
    if (!isMap<Node, Node | null>(node) && !isSeq<Node>(node) && !isScalar(node)) return;
    if (node.anchor !== undefined) named.set(node.anchor, node);
    if (isSeq(node)) node.items.forEach(walk);
    if (!isMap<Node, Node | null>(node)) return;
    const seen = new Set<unknown>();
    for (const { key, value } of node.items) {
      if (isScalar(key) && seen.has(key.value)) repeated.push(key);
      if (isScalar(key)) seen.add(key.value);
      walk(key);
      walk(value);
    }
  };
  walk(document.contents);
  return { repeated, targets };
}
