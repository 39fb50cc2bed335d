/** Turns what stands in `landfall.yml` into a project's configuration, with every default filled in. */
import type { EnvironmentConfig, ProjectConfig, ServiceConfig } from './config.ts';
import { defaultBuild, defaultEnvironments, defaultService, defaultTiming, runningGraceMs } from './defaults.ts';
import type { ConfigInFile, EnvironmentInFile, ServiceInFile } from './file.ts';
import type { HealthCheck, Resources } from './service.ts';

/** Notes what is wrong with the value under these keys. */
export type NoteIssue = (keys: readonly string[], message: string) => void;

export function toProjectConfig(file: ConfigInFile, note: NoteIssue): ProjectConfig {
  const services = Object.entries(file.services ?? { web: {} }).map(
    ([name, service]) =>
      [name, toService(service, (keys, message) => note(['services', name, ...keys], message))] as const,
  );
  if (services.length === 0) note(['services'], 'names no service; leave it out to deploy the Dockerfile at the root');
  const environments = Object.entries(file.environments ?? {}).map(
    ([name, environment]) => [name, toEnvironment(environment)] as const,
  );
  return {
    services: Object.fromEntries(services),
    environments: environments.length > 0 ? Object.fromEntries(environments) : defaultEnvironments,
  };
}

function toService(file: ServiceInFile, note: NoteIssue): ServiceConfig {
  const port = file.port === 'none' ? null : (file.port ?? defaultService.port);
  const env = file.env ?? {};
  for (const secret of (file.secrets ?? []).filter((name) => Object.hasOwn(env, name))) {
    note(['secrets'], `${secret} is both a secret and a variable under env`);
  }
  return {
    build: toBuild(file.build ?? {}),
    port,
    health: toHealth(file.health, port, note),
    resources: { ...defaultService.resources, ...toResources(file.resources) },
    env,
    secrets: [...new Set(file.secrets ?? [])].sort(),
    replicas: file.replicas ?? defaultService.replicas,
    command: file.command ?? null,
    stopGraceMs: file.stop_grace ?? defaultService.stopGraceMs,
    deadlineMs: file.deadline ?? defaultService.deadlineMs,
  };
}

function toBuild(file: NonNullable<ServiceInFile['build']>): ServiceConfig['build'] {
  const context = file.context ?? defaultBuild.context;
  return {
    kind: 'dockerfile',
    context,
    dockerfile: file.dockerfile ?? (context === '.' ? 'Dockerfile' : `${context}/Dockerfile`),
    target: file.target ?? null,
    args: file.args ?? {},
    timeoutMs: file.timeout ?? defaultBuild.timeoutMs,
  };
}

function toHealth(file: ServiceInFile['health'], port: ServiceConfig['port'], note: NoteIssue): HealthCheck | null {
  if (!file) return null;
  const { path, tcp, command } = file;
  const kinds = [path, tcp, command].filter((kind) => kind !== undefined).length;
  if (kinds > 1) note(['health'], 'give one of path, tcp and command');
  if (port === null && (path !== undefined || tcp)) note(['health'], 'without a port there is only command to ask');
  const isAsked = port !== null || command !== undefined;
  const timing = {
    intervalMs: file.interval ?? defaultTiming.intervalMs,
    timeoutMs: file.timeout ?? defaultTiming.timeoutMs,
    graceMs: file.grace ?? (isAsked ? defaultTiming.graceMs : runningGraceMs),
    healthyAfter: file.healthy_after ?? defaultTiming.healthyAfter,
    unhealthyAfter: file.unhealthy_after ?? defaultTiming.unhealthyAfter,
  };
  if (command) return { kind: 'command', command, ...timing };
  if (path !== undefined) return { kind: 'http', path, ...timing };
  return port === null ? { kind: 'running', ...timing } : { kind: 'tcp', ...timing };
}

function toEnvironment(file: EnvironmentInFile): EnvironmentConfig {
  const services = Object.entries(file.services ?? {}).map(
    ([name, { replicas, env, resources }]) =>
      [name, { replicas: replicas ?? null, env: env ?? {}, resources: toResources(resources) }] as const,
  );
  return {
    branch: file.branch ?? null,
    url: file.url ?? null,
    env: file.env ?? {},
    services: Object.fromEntries(services),
  };
}

function toResources(file: ServiceInFile['resources']): Partial<Resources> {
  return {
    ...(file?.cpu === undefined ? {} : { cpuMillis: file.cpu }),
    ...(file?.memory === undefined ? {} : { memoryBytes: file.memory }),
    ...(file?.pids === undefined ? {} : { pids: file.pids }),
  };
}
