/** The resolved services that an intent stores: what runs, and how it is built, by name. */
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { BuildSpec, ServiceSpec } from '../../core/spec/service.ts';

export const ResolvedServices = Type.Record(Type.String(), Type.Object({ service: ServiceSpec, build: BuildSpec }));
export type ResolvedServices = Static<typeof ResolvedServices>;

/** Throws when the row does not hold what was written. */
export function parseResolvedServices(config: unknown): ResolvedServices {
  return Value.Parse(ResolvedServices, config);
}
