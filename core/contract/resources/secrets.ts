/** Secrets of an environment, without their values. */
import Type, { type Static } from 'typebox';
import { orNull, Time } from './schema.ts';

/** A secret without its value: no answer ever holds one. */
export const SecretResource = Type.Object({
  name: Type.String(),
  /** The one service it is for; null: every service of the environment. */
  service: orNull(Type.String()),
  /** The one in force. */
  version: Type.Integer(),
  setBy: Type.String(),
  setAt: Time,
  /** Services whose release names it, each with the version that it was made with. */
  usedBy: Type.Array(Type.Object({ service: Type.String(), version: Type.Integer() })),
});
export type SecretResource = Static<typeof SecretResource>;

export const SecretList = Type.Object({
  secrets: Type.Array(SecretResource),
  /** What services name and nobody has set. */
  missing: Type.Array(Type.Object({ service: Type.String(), name: Type.String() })),
});
export type SecretList = Static<typeof SecretList>;

/** Rollouts that bring another value to the services that run. */
const SecretRollouts = Type.Array(Type.Object({ id: Type.String(), service: Type.String() }));

export const SecretSet = Type.Object({ secret: SecretResource, rollouts: SecretRollouts });
export type SecretSet = Static<typeof SecretSet>;

export const SecretRemoved = Type.Object({ rollouts: SecretRollouts });
export type SecretRemoved = Static<typeof SecretRemoved>;
