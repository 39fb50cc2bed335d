/** Fault switches: what the sandbox does wrong on purpose, to which requests or deliveries, and how often. */
import Type, { type Static } from 'typebox';

const closed = { additionalProperties: false };

const scope = {
  /**
   * What it applies to, with `*` for anything: of a request its operation id (`repos/create-*`, `git/receive-pack`) or its
   * method and path (`POST /repos/*`); of a delivery its event (`push`, `check_run.rerequested`). Default: everything.
   */
  match: Type.Optional(Type.String()),
  /** How many it applies to before it clears itself; default: until cleared. */
  times: Type.Optional(Type.Integer({ minimum: 1 })),
};

const orNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const limit = {
  status: Type.Union([Type.Literal(403), Type.Literal(429)]),
  /** Seconds for `retry-after`; `null` leaves the header out. */
  retryAfter: orNull(Type.Integer({ minimum: 0 })),
  /** Seconds until `x-ratelimit-reset`, with `x-ratelimit-remaining: 0`; `null` leaves the quota headers out. */
  reset: orNull(Type.Integer({ minimum: 0 })),
};

const milliseconds = Type.Integer({ minimum: 0 });

export const faultSchema = Type.Union([
  // Of requests: the write happened, its answer is lost; limits; a token that stopped working; a slow network.
  Type.Object({ kind: Type.Literal('bad_gateway_after_commit'), ...scope }, closed),
  Type.Object({ kind: Type.Literal('primary_limit'), ...limit, ...scope }, closed),
  Type.Object({ kind: Type.Literal('secondary_limit'), ...limit, ...scope }, closed),
  Type.Object({ kind: Type.Literal('expired_token'), ...scope }, closed),
  Type.Object({ kind: Type.Literal('latency'), milliseconds, ...scope }, closed),
  // Of deliveries; `reorder` holds one back until the next has been answered.
  Type.Object({ kind: Type.Literal('duplicate'), ...scope }, closed),
  Type.Object({ kind: Type.Literal('lose'), ...scope }, closed),
  Type.Object({ kind: Type.Literal('delay'), milliseconds, ...scope }, closed),
  Type.Object({ kind: Type.Literal('reorder'), ...scope }, closed),
]);

export type Fault = Static<typeof faultSchema>;
export type FaultKind = Fault['kind'];
export type DeliveryFaultKind = 'duplicate' | 'lose' | 'delay' | 'reorder';
export type LimitFault = Extract<Fault, { retryAfter: number | null }>;
export type ActiveFault = Fault & { readonly id: number; readonly applied: number };

export function matches(pattern: string | undefined, subjects: readonly string[]): boolean {
  if (pattern === undefined) return true;
  const literal = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(`^${literal.join('.*')}$`);
  return subjects.some((subject) => expression.test(subject));
}

export class Faults {
  readonly #active = new Map<number, ActiveFault>();
  #nextId = 1;

  set(fault: Fault): number {
    const id = this.#nextId++;
    this.#active.set(id, { ...fault, id, applied: 0 });
    return id;
  }

  /** Clears one fault, or all of them. */
  clear(id?: number): void {
    if (id === undefined) this.#active.clear();
    else this.#active.delete(id);
  }

  list(): ActiveFault[] {
    return [...this.#active.values()];
  }

  /** The first active fault of this kind for these subjects, counted as applied. */
  take<K extends FaultKind>(kind: K, subjects: readonly string[]): Extract<ActiveFault, { kind: K }> | undefined {
    for (const fault of this.#active.values()) {
      if (fault.kind !== kind || !matches(fault.match, subjects)) continue;
      const applied = fault.applied + 1;
      if (fault.times !== undefined && applied >= fault.times) this.#active.delete(fault.id);
      else this.#active.set(fault.id, { ...fault, applied });
      return fault as Extract<ActiveFault, { kind: K }>;
    }
    return undefined;
  }
}
