/** What holds where nothing is written: the defaults of a service, and of a repository with only a Dockerfile. */
import { exposedPort } from './dockerfile.ts';
import type { ProjectConfig, ServiceConfig } from './config.ts';
import type { BuildSpec, HealthCheck } from './service.ts';

/** The port of a Dockerfile that names none: it is told to the program as PORT. */
export const fallbackPort = 8_080;

export const defaultTiming = {
  intervalMs: 5_000,
  timeoutMs: 5_000,
  graceMs: 30_000,
  healthyAfter: 1,
  unhealthyAfter: 3,
};

/** A workload without a port counts as healthy when it has run for this long. */
export const runningGraceMs = 2_000;

export const defaultBuild: BuildSpec = {
  kind: 'dockerfile',
  context: '.',
  dockerfile: 'Dockerfile',
  target: null,
  args: {},
  timeoutMs: 15 * 60_000,
};

export const defaultService: ServiceConfig = {
  build: defaultBuild,
  port: 'exposed',
  health: null,
  resources: { cpuMillis: 500, memoryBytes: 256 * 2 ** 20, pids: 512 },
  env: {},
  secrets: [],
  replicas: 1,
  command: null,
  stopGraceMs: 10_000,
  deadlineMs: 5 * 60_000,
};

/** `production`, on the default branch. */
export const defaultEnvironments: ProjectConfig['environments'] = {
  production: { branch: null, url: null, env: {}, services: {} },
};

export function defaultHealth(port: number | null): HealthCheck {
  return port === null
    ? { kind: 'running', ...defaultTiming, graceMs: runningGraceMs }
    : { kind: 'tcp', ...defaultTiming };
}

/** For a repository without `landfall.yml`. `dockerfile` is the text of the Dockerfile at its root. */
export function defaultProjectConfig({
  dockerfile,
  defaultBranch,
}: {
  dockerfile: string;
  defaultBranch: string;
}): ProjectConfig {
  const port = exposedPort(dockerfile, { target: null, args: {} }) ?? fallbackPort;
  return {
    services: { web: { ...defaultService, port } },
    environments: { production: { branch: defaultBranch, url: null, env: {}, services: {} } },
  };
}
