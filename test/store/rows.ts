/** Rows for store tests: a project with a service, its builds, releases, rollouts and allocations. */
import type { ServiceSpec } from '../../core/spec/service.ts';
import type { Allocation, Build, Db, Release, Rollout, Service, WorkItem } from '../../prisma/client.ts';

export const sha = 'a'.repeat(40);
export const imageDigest = `sha256:${'d'.repeat(64)}`;

const timing = { intervalMs: 1_000, timeoutMs: 1_000, graceMs: 0, healthyAfter: 1, unhealthyAfter: 3 };

export const spec: ServiceSpec = {
  name: 'web',
  command: null,
  env: { GREETING: 'hello' },
  secrets: [],
  port: 8080,
  health: { kind: 'http', path: '/healthz', ...timing },
  resources: { cpuMillis: 100, memoryBytes: 64 * 1024 * 1024, pids: 100 },
  replicas: 1,
  stopGraceMs: 5_000,
  deadlineMs: 60_000,
};

export const buildSpec = {
  kind: 'dockerfile',
  context: '.',
  dockerfile: 'Dockerfile',
  target: null,
  args: {},
  timeoutMs: 600_000,
} as const;

let counter = 0;

export interface World {
  projectId: string;
  environmentId: string;
  service: Service;
}

/** A repository with one project, one environment and one service. */
export async function makeWorld(db: Db, name = 'web'): Promise<World> {
  const id = BigInt(++counter + Date.now() * 1000);
  await db.installation.create({ data: { id, accountId: id, accountLogin: 'acme', accountType: 'Organization' } });
  const repository = { id, installationId: id, owner: 'acme', name: `shop-${counter}`, defaultBranch: 'main' };
  await db.repository.create({ data: repository });
  const project = await db.project.create({ data: { repositoryId: id } });
  const environment = await db.environment.create({ data: { projectId: project.id, name: 'production' } });
  const service = await db.service.create({ data: { environmentId: environment.id, name, generation: 1 } });
  return { projectId: project.id, environmentId: environment.id, service };
}

export async function makeRelease(db: Db, serviceId: string, changed: Partial<Release> = {}): Promise<Release> {
  const number = 1 + (await db.release.count({ where: { serviceId } }));
  const image = { imageName: '127.0.0.1:7782/landfall/acme/shop/web', imageDigest };
  const data = { serviceId, number, sha, ...image, specDigest: 'spec', spec, ...changed };
  return db.release.create({ data: { ...data, spec: data.spec as object } });
}

export async function makeRollout(db: Db, release: Release, changed: Partial<Rollout> = {}): Promise<Rollout> {
  const { serviceId, id: releaseId } = release;
  const generation = 1 + (await db.rollout.count({ where: { serviceId } }));
  return db.rollout.create({ data: { serviceId, releaseId, generation, stageSince: new Date(), ...changed } });
}

export interface PlacedAllocation {
  nodeId: string;
  release: Release;
  rolloutId?: string;
}

export async function makeAllocation(
  db: Db,
  { nodeId, release, rolloutId }: PlacedAllocation,
  changed: Partial<Allocation> = {},
): Promise<Allocation> {
  const data = {
    ...{ nodeId, serviceId: release.serviceId, releaseId: release.id, rolloutId: rolloutId ?? null },
    ...{ ip: `10.200.1.${2 + (counter++ % 250)}`, replica: 0, generation: 1, placement: ['It has the most room.'] },
    ...changed,
  };
  return db.allocation.create({ data: { ...data, placement: data.placement as string[], lastLog: [] } });
}

export async function makeBuild(db: Db, projectId: string, changed: Partial<Build> = {}): Promise<Build> {
  const data = {
    ...{ projectId, service: 'web', sha, ref: 'refs/heads/main', inputsDigest: `inputs-${++counter}`, spec: buildSpec },
    ...{ status: 'offered' as const, attempt: 1, imageName: '127.0.0.1:7782/landfall/acme/shop/web' },
    ...changed,
  };
  return db.build.create({
    data: { ...data, spec: data.spec as object, annotations: [], exposedPorts: [], timings: changed.timings ?? {} },
  });
}

export async function offerWork(db: Db, build: Build, nodeId: string, attempt = 1): Promise<WorkItem> {
  return db.workItem.create({ data: { kind: 'build', payload: {}, nodeId, buildId: build.id, attempt } });
}
