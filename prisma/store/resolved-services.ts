/** The resolved services that an intent stores: what runs, and how it is built, by name. */
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { Amounts, notTakenSentence } from '../../core/spec/amounts.ts';
import { BuildSpec, ServiceSpec } from '../../core/spec/service.ts';

export const ResolvedServices = Type.Record(
  Type.String(),
  Type.Object({ service: ServiceSpec, build: BuildSpec, notTaken: Type.Optional(Type.Partial(Amounts)) }),
);
export type ResolvedServices = Static<typeof ResolvedServices>;

/** Null when the row does not hold what this release can read. */
export function readResolvedServices(config: unknown): ResolvedServices | null {
  return Value.Check(ResolvedServices, config) ? config : null;
}

/** Their names, also where the rest cannot be read. */
export function namesOfServices(config: unknown): string[] {
  return typeof config === 'object' && config !== null ? Object.keys(config) : [];
}

/** What runs otherwise than the commit says; null when nothing does, or the row cannot be read. */
export function notTakenOf(config: unknown, defaultBranch: string): string | null {
  return notTakenSentence(readResolvedServices(config) ?? {}, defaultBranch);
}
