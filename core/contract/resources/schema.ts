/** Pieces that the schemas of resources share. */
import Type, { type TSchema } from 'typebox';

export const Time = Type.String({ format: 'date-time' });

export const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
