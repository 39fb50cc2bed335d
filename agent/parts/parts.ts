/** What a node has besides its containers, as the loop drives it: names, routes and peers, each looked at and mended by a driver of its own. */
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import type { Capability } from '../../core/contract/status.ts';
import { nodeParts, type NodePart } from '../../core/plan/action.ts';
import type { PartDifferences } from '../../core/plan/observed.ts';
import { digestOf } from '../../core/spec/digest.ts';
import { messageOf } from '../../platform/errors/classify.ts';

export interface NodeParts {
  /** What differs from what is expected. Changes nothing, and never rejects. */
  readonly look: (expected: ExpectedState) => Promise<PartDifferences>;
  /** Rejects with what stands in the way. */
  readonly apply: (part: NodePart, expected: ExpectedState) => Promise<void>;
}

/** One part, given what the expected state says of it. */
export interface PartDriver<T> {
  /** What differs, in words; empty: nothing. */
  readonly look: (wanted: T) => Promise<readonly string[]>;
  readonly apply: (wanted: T) => Promise<void>;
}

type Wanted = Pick<ExpectedState, 'network' | 'names' | 'routes' | 'mesh'>;

/** A part without a driver is none of this node's: it differs in nothing. */
export type Drivers = Partial<Record<NodePart, PartDriver<Wanted>>>;

export function nodePartsOf(drivers: Drivers): NodeParts {
  return {
    look: async (expected) => {
      const looked = await Promise.all(
        nodeParts.map(async (part) => [part, await differences(drivers[part], expected)] as const),
      );
      return Object.fromEntries(looked) as Record<NodePart, readonly string[]>;
    },
    apply: async (part, expected) => drivers[part]?.apply(expected),
  };
}

/** What cannot be looked at is to be applied: then it is said why not. */
async function differences(driver: PartDriver<Wanted> | undefined, expected: Wanted): Promise<readonly string[]> {
  try {
    return (await driver?.look(expected)) ?? [];
  } catch (error) {
    return [`it cannot be looked at: ${messageOf(error)}`];
  }
}

/** Names a part's content, for a person who compares nodes; null when an older control plane says nothing of it. */
export function partDigests({ names, routes, mesh }: Wanted): Record<NodePart, string | null> {
  const digest = (value: object | null | undefined): string | null => (value == null ? null : digestOf(value));
  return { dns: digest(names), routes: digest(routes), peers: digest(mesh) };
}

/** What the control plane may wait for. */
export function partCapabilities(expected: Wanted | null): Capability[] {
  return [
    ...(expected?.names === undefined ? [] : (['dns'] as const)),
    ...(expected?.routes == null ? [] : (['routes'] as const)),
    ...(expected?.mesh == null ? [] : (['peers'] as const)),
  ];
}
