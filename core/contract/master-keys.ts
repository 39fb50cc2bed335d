/** The master keys as people see them, by name: `/api/v1/master-keys`. */
import Type, { type Static } from 'typebox';

export const MasterKeyResource = Type.Object({
  /** Made of the key by a hash: it tells keys apart, and says nothing of them. */
  id: Type.String(),
  /** `current` encrypts, `older` still opens, `missing` was used once and is not here. */
  state: Type.Union([Type.Literal('current'), Type.Literal('older'), Type.Literal('missing')]),
  /** Values that are encrypted under it. */
  secrets: Type.Integer(),
});
export type MasterKeyResource = Static<typeof MasterKeyResource>;

export const MasterKeyList = Type.Object({ masterKeys: Type.Array(MasterKeyResource) });
export type MasterKeyList = Static<typeof MasterKeyList>;
