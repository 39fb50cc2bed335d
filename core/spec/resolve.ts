/** Resolves what one environment runs at one commit: shape from the commit, rules from the default branch (P46). */
import type { EnvironmentConfig, ProjectConfig, ServiceConfig, ServiceOverride } from './config.ts';
import { amountsNotTaken, type Amounts } from './amounts.ts';
import { defaultHealth, defaultService, fallbackPort } from './defaults.ts';
import { exposedPort } from './dockerfile.ts';
import type { BuildSpec, HealthCheck, ServiceSpec } from './service.ts';

export type ResolveFacts = {
  /** The configuration of the commit: how its services are built and run. */
  shape: ProjectConfig;
  /** The configuration of the default branch: environments, and how much each service may use. */
  rules: ProjectConfig;
  environment: string;
  /** Service → text of its Dockerfile at the commit: asked for services whose port is `exposed`. */
  dockerfiles?: Record<string, string>;
};

export type ResolvedService = {
  service: ServiceSpec;
  build: BuildSpec;
  /** How much the commit itself gives, where that is not what is taken; absent when all of it is. */
  notTaken?: Partial<Amounts>;
};

/** Service → what runs and how it is built, sorted by name. Empty when the rules do not know the environment. */
export function resolveServices(facts: ResolveFacts): Record<string, ResolvedService> {
  const environment = own(facts.rules.environments, facts.environment);
  if (!environment) return {};
  const names = Object.keys(facts.shape.services).sort();
  return Object.fromEntries(names.map((name) => [name, resolveService(name, facts, environment)]));
}

function resolveService(name: string, facts: ResolveFacts, environment: EnvironmentConfig): ResolvedService {
  const shape = own(facts.shape.services, name) ?? defaultService;
  const override = own(environment.services, name);
  const amounts = overridden(limitsOf(shape, own(facts.rules.services, name)), override);
  const ownOverride = own(own(facts.shape.environments, facts.environment)?.services ?? {}, name);
  const notTaken = amountsNotTaken(overridden(overridden(amountsOf(shape), override), ownOverride), amounts);
  const port = portOf(shape, own(facts.dockerfiles ?? {}, name) ?? '');
  const env = { ...shape.env, ...environment.env, ...override?.env };
  return {
    build: shape.build,
    service: {
      name,
      command: shape.command,
      env: port === null ? env : { PORT: String(port), ...env },
      secrets: shape.secrets.filter((secret) => !Object.hasOwn(env, secret)),
      port,
      health: healthOf(shape.health, port),
      resources: { cpuMillis: amounts.cpuMillis, memoryBytes: amounts.memoryBytes, pids: amounts.pids },
      replicas: amounts.replicas,
      stopGraceMs: shape.stopGraceMs,
      deadlineMs: shape.deadlineMs,
    },
    ...(notTaken === null ? {} : { notTaken }),
  };
}

/**
 * How much a service may use is the default branch's to say. One that it does not know yet runs once, with no more than the
 * defaults, until it is merged or the environment names it.
 */
function limitsOf(shape: ServiceConfig, ruled: ServiceConfig | undefined): Amounts {
  if (ruled) return amountsOf(ruled);
  const most = defaultService.resources;
  return {
    replicas: Math.min(shape.replicas, 1),
    cpuMillis: Math.min(shape.resources.cpuMillis, most.cpuMillis),
    memoryBytes: Math.min(shape.resources.memoryBytes, most.memoryBytes),
    pids: Math.min(shape.resources.pids, most.pids),
  };
}

function amountsOf({ replicas, resources }: ServiceConfig): Amounts {
  return { replicas, ...resources };
}

/** The environment has the last word. */
function overridden(amounts: Amounts, override: ServiceOverride | undefined): Amounts {
  return { ...amounts, ...override?.resources, replicas: override?.replicas ?? amounts.replicas };
}

function portOf(shape: ServiceConfig, dockerfile: string): number | null {
  return shape.port === 'exposed' ? (exposedPort(dockerfile, shape.build) ?? fallbackPort) : shape.port;
}

function healthOf(health: HealthCheck | null, port: number | null): HealthCheck {
  return health ?? defaultHealth(port);
}

/** Names come from files: `constructor` and `__proto__` are names like others. */
function own<T>(record: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
