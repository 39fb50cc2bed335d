/** The resolved spec of one service: what a release fixes, and what its digest covers. */
import Type, { type Static } from 'typebox';

/** A DNS label: services and environments are names in `.internal`. */
export const Name = Type.String({ pattern: '^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$' });

/** Secrets become variables of the same name. */
export const SecretName = Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$', maxLength: 100 });

/** Of a secret's value in UTF-8. One variable of a process holds at most twice as much on Linux. */
export const maxSecretBytes = 64 * 1024;

/** How the agent asks a container whether it serves. Durations are in milliseconds. */
const timing = {
  intervalMs: Type.Integer({ minimum: 100, maximum: 300_000 }),
  timeoutMs: Type.Integer({ minimum: 100, maximum: 60_000 }),
  /** Failures in the first `graceMs` after the start do not count. */
  graceMs: Type.Integer({ minimum: 0, maximum: 3_600_000 }),
  /** Consecutive answers that make it healthy / unhealthy. */
  healthyAfter: Type.Integer({ minimum: 1, maximum: 20 }),
  unhealthyAfter: Type.Integer({ minimum: 1, maximum: 20 }),
};

export const HealthCheck = Type.Union([
  Type.Object({ kind: Type.Literal('http'), path: Type.String({ pattern: '^/' }), ...timing }),
  Type.Object({ kind: Type.Literal('tcp'), ...timing }),
  Type.Object({ kind: Type.Literal('command'), command: Type.Array(Type.String(), { minItems: 1 }), ...timing }),
  /** No port and no check: running for `graceMs` is healthy. */
  Type.Object({ kind: Type.Literal('running'), ...timing }),
]);
export type HealthCheck = Static<typeof HealthCheck>;

export const Resources = Type.Object({
  /** Thousandths of a core. */
  cpuMillis: Type.Integer({ minimum: 10, maximum: 1_024_000 }),
  memoryBytes: Type.Integer({ minimum: 4 * 1024 * 1024 }),
  pids: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
});
export type Resources = Static<typeof Resources>;

export const ServiceSpec = Type.Object({
  name: Name,
  /** Replaces the image's entrypoint and command; null keeps them. */
  command: Type.Union([Type.Array(Type.String(), { minItems: 1 }), Type.Null()]),
  env: Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), Type.String()),
  /** Names of the environment's secrets that become variables. */
  secrets: Type.Array(SecretName),
  /** The port the container listens on; null for a workload that serves nothing. */
  port: Type.Union([Type.Integer({ minimum: 1, maximum: 65_535 }), Type.Null()]),
  health: HealthCheck,
  resources: Resources,
  replicas: Type.Integer({ minimum: 0, maximum: 100 }),
  /** Between SIGTERM and SIGKILL. */
  stopGraceMs: Type.Integer({ minimum: 0, maximum: 3_600_000 }),
  /** A rollout whose replicas are not healthy by then has failed. */
  deadlineMs: Type.Integer({ minimum: 1_000, maximum: 3_600_000 }),
});
export type ServiceSpec = Static<typeof ServiceSpec>;

export const BuildSpec = Type.Object({
  kind: Type.Literal('dockerfile'),
  /** Relative to the repository's root, without `..`; `.` is the root. */
  context: Type.String(),
  /** Relative to the repository's root too. */
  dockerfile: Type.String(),
  target: Type.Union([Type.String(), Type.Null()]),
  args: Type.Record(Type.String(), Type.String()),
  timeoutMs: Type.Integer({ minimum: 1_000, maximum: 6 * 3_600_000 }),
});
export type BuildSpec = Static<typeof BuildSpec>;
