/** A page of a log, as the console and the CLI read it. */
import Type, { type Static } from 'typebox';
import { orNull, Time } from './schema.ts';

export const LogPage = Type.Object({
  lines: Type.Array(
    Type.Object({
      /** Number of the line in its stream; a jump means that lines between were dropped. */
      offset: Type.Integer(),
      at: Time,
      text: Type.String(),
      error: Type.Boolean(),
      /** Which replica wrote it, of a service's log. */
      source: orNull(Type.String()),
    }),
  ),
  /** Ask for `after` this cursor to go on; null when there was nothing. */
  cursor: orNull(Type.String()),
  /** Nothing comes after these lines. */
  ended: Type.Boolean(),
});
export type LogPage = Static<typeof LogPage>;
