/** How every call of the API says no. The codes are those of platform/errors/api-codes.ts. */
import Type, { type Static } from 'typebox';

export const ErrorAnswer = Type.Object({
  error: Type.Object({
    code: Type.String(),
    message: Type.String(),
    /** What to do about it, or where in the request it is wrong. */
    hint: Type.Union([Type.String(), Type.Null()]),
  }),
});
export type ErrorAnswer = Static<typeof ErrorAnswer>;
