/** A project's configuration as understood: `landfall.yml` with its shorthands resolved (core/spec/parse.ts). */
import Type, { type Static } from 'typebox';
import { BuildSpec, HealthCheck, Name, Resources, ServiceSpec } from './service.ts';

const Env = ServiceSpec.properties.env;

export const ServiceConfig = Type.Object({
  build: BuildSpec,
  /** `exposed`: the one that the Dockerfile declares, or 8080; null: it serves nothing. */
  port: Type.Union([Type.Integer({ minimum: 1, maximum: 65_535 }), Type.Literal('exposed'), Type.Null()]),
  /** null: TCP on the port; without a port, that it keeps running. */
  health: Type.Union([HealthCheck, Type.Null()]),
  resources: Resources,
  env: Env,
  secrets: ServiceSpec.properties.secrets,
  replicas: ServiceSpec.properties.replicas,
  command: ServiceSpec.properties.command,
  stopGraceMs: ServiceSpec.properties.stopGraceMs,
  deadlineMs: ServiceSpec.properties.deadlineMs,
});
export type ServiceConfig = Static<typeof ServiceConfig>;

/** What an environment changes about one service. */
export const ServiceOverride = Type.Object({
  replicas: Type.Union([ServiceSpec.properties.replicas, Type.Null()]),
  env: Env,
  resources: Type.Partial(Resources),
});
export type ServiceOverride = Static<typeof ServiceOverride>;

export const EnvironmentConfig = Type.Object({
  /** The branch whose pushes are deployed here, by its exact name; null: the default branch. */
  branch: Type.Union([Type.String({ minLength: 1 }), Type.Null()]),
  url: Type.Union([Type.String(), Type.Null()]),
  env: Env,
  services: Type.Record(Name, ServiceOverride),
});
export type EnvironmentConfig = Static<typeof EnvironmentConfig>;

export const ProjectConfig = Type.Object({
  services: Type.Record(Name, ServiceConfig),
  environments: Type.Record(Name, EnvironmentConfig),
});
export type ProjectConfig = Static<typeof ProjectConfig>;

/** One thing wrong with a configuration file, at its place. Lines count from 1. */
export type ConfigIssue = { path: string; line: number; endLine: number; message: string };
