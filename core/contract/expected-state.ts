/** What the control plane wants of one node: the answer of `GET /api/v1/agent/expected-state`. */
import Type, { type Static } from 'typebox';
import { HealthCheck, Resources } from '../spec/service.ts';
import { Mesh } from './mesh.ts';
import { Names } from './names.ts';
import { Routes } from './routes.ts';
import { WorkOffer } from './work.ts';

/** A text sealed to this node's X25519 key (platform/crypto/sealing.ts); opens nowhere else. */
export const Sealed = Type.String();

export const ExpectedContainer = Type.Object({
  allocationId: Type.String(),
  serviceId: Type.String(),
  serviceName: Type.String(),
  environment: Type.String(),
  releaseId: Type.String(),
  /** The service's generation; a container of an older one never replaces it. */
  generation: Type.Integer(),
  /** `registry/repository@sha256:…` */
  image: Type.String(),
  /** Digest of everything below that shapes the container, the image included: the label `landfall.spec`. */
  specDigest: Type.String(),
  command: Type.Union([Type.Array(Type.String()), Type.Null()]),
  env: Type.Record(Type.String(), Type.String()),
  /** JSON object of names and values, sealed; null when the service has none. */
  sealedSecrets: Type.Union([Sealed, Type.Null()]),
  port: Type.Union([Type.Integer(), Type.Null()]),
  ip: Type.String(),
  resources: Resources,
  health: HealthCheck,
  stopGraceMs: Type.Integer(),
  /** A piece of work owns this workload until then: the planner leaves it alone. */
  leasedUntil: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
});
export type ExpectedContainer = Static<typeof ExpectedContainer>;

/** Credentials to pull from one registry. */
export const RegistryAccess = Type.Object({
  /** `host:port` as it stands in image names. */
  host: Type.String(),
  /** Plain HTTP, for a registry on a loopback or mesh address. */
  insecure: Type.Boolean(),
  /** JSON `{ username, password }`, sealed; null when the registry asks for none. */
  sealedCredentials: Type.Union([Sealed, Type.Null()]),
});
export type RegistryAccess = Static<typeof RegistryAccess>;

export const ExpectedState = Type.Object({
  nodeId: Type.String(),
  /** Of this node; only goes forward. An agent refuses an older one than it has applied. */
  generation: Type.Integer(),
  network: Type.Object({
    name: Type.Literal('landfall'),
    subnet: Type.String(),
    gateway: Type.String(),
  }),
  registries: Type.Array(RegistryAccess),
  /** Sorted by allocation id. Every container of ours that is not here is an orphan. */
  containers: Type.Array(ExpectedContainer),
  /**
   * Images of the newest releases of services that ran here: they stay for a rollback, whether a container uses them or not. Absent,
   * from an older control plane: every image stays.
   */
  keptImages: Type.Optional(Type.Array(Type.String())),
  /** What this node answers about `.internal`. This and the two below are absent from an older control plane: they stay as they are then. */
  names: Type.Optional(Names),
  /** Null: it is no proxy, and runs none. */
  routes: Type.Optional(Type.Union([Routes, Type.Null()])),
  /** Null: it is the only node, or the private network is another's. */
  mesh: Type.Optional(Type.Union([Mesh, Type.Null()])),
  /** Offered, not yet claimed, or claimed by this node and to be cancelled. */
  work: Type.Array(WorkOffer),
  /** Services left out because their rows could not be understood: the rest goes on. */
  problems: Type.Array(Type.Object({ serviceId: Type.String(), message: Type.String() })),
});
export type ExpectedState = Static<typeof ExpectedState>;
