/** Builds: `/api/v1/builds`. */
import Type, { type Static } from 'typebox';
import { orNull, Time } from './schema.ts';

export const BuildStatus = Type.Union([
  Type.Literal('queued'),
  Type.Literal('offered'),
  Type.Literal('building'),
  Type.Literal('succeeded'),
  Type.Literal('failed'),
  Type.Literal('cancelled'),
  Type.Literal('superseded'),
]);
export type BuildStatus = Static<typeof BuildStatus>;

export const BuildResource = Type.Object({
  id: Type.String(),
  repository: Type.String(),
  service: Type.String(),
  sha: Type.String(),
  ref: Type.String(),
  status: BuildStatus,
  reasonCode: orNull(Type.String()),
  reason: orNull(Type.String()),
  image: orNull(Type.String()),
  attempt: Type.Integer(),
  /** Where the newest attempt was offered. */
  nodeName: orNull(Type.String()),
  /** Milliseconds. */
  timings: orNull(Type.Object({ fetch: Type.Integer(), build: Type.Integer(), push: Type.Integer() })),
  createdAt: Time,
  startedAt: orNull(Time),
  finishedAt: orNull(Time),
});
export type BuildResource = Static<typeof BuildResource>;
