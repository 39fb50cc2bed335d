/** Access tokens as people and the CLI see them: `/api/v1/tokens`. */
import Type, { type Static } from 'typebox';

export const AccessTokenResource = Type.Object({
  id: Type.String(),
  /** Who or what has it: what it does is in the audit events under this name. */
  name: Type.String(),
  createdAt: Type.String({ format: 'date-time' }),
});
export type AccessTokenResource = Static<typeof AccessTokenResource>;

/** What `landfall token add` gets: the token is shown this once. */
export const AccessTokenMade = Type.Object({ accessToken: AccessTokenResource, token: Type.String() });
export type AccessTokenMade = Static<typeof AccessTokenMade>;

export const AccessTokenList = Type.Object({ accessTokens: Type.Array(AccessTokenResource) });
export type AccessTokenList = Static<typeof AccessTokenList>;
