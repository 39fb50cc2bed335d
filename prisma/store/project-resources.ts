/** Projects with their environments and services, as people and the CLI see them. */
import Type from 'typebox';
import Value from 'typebox/value';
import type { LeftOutReplica } from '../../core/contract/left-out.ts';
import type { EnvironmentResource } from '../../core/contract/resources/environments.ts';
import type { ProjectResource } from '../../core/contract/resources/projects.ts';
import type { ServiceResource } from '../../core/contract/resources/services.ts';
import type { Db, Prisma } from '../client.ts';
import { iso } from './iso.ts';
import { readLeftOut, type LeftOutContext } from './left-out.ts';
import { releaseResource } from './rollout-resources.ts';

const service = {
  servingRelease: true,
  rollouts: { orderBy: { generation: 'desc' }, take: 1 },
  allocations: { where: { desired: 'running' }, select: { health: true, observed: true } },
} as const satisfies Prisma.ServiceInclude;

type ServiceRow = Prisma.ServiceGetPayload<{ include: typeof service }>;

const include = {
  repository: true,
  environments: {
    where: { removedAt: null },
    orderBy: { name: 'asc' },
    include: { services: { where: { removedAt: null }, orderBy: { name: 'asc' }, include: service } },
  },
} as const satisfies Prisma.ProjectInclude;

/** By repository. Those whose repository was deleted or taken out are left out when they have no environment any more. */
export async function projectResources(db: Db, context: LeftOutContext): Promise<ProjectResource[]> {
  const rows = await db.project.findMany({
    where: { OR: [{ repository: { removedAt: null } }, { environments: { some: { removedAt: null } } }] },
    include,
    orderBy: [{ repository: { owner: 'asc' } }, { repository: { name: 'asc' } }, { directory: 'asc' }],
  });
  const leftOut = await readLeftOut(db, context);
  return rows.map(({ id, repository, directory, config, environments }) => ({
    id,
    repository: `${repository.owner}/${repository.name}`,
    removed: repository.removedAt !== null,
    directory,
    environments: environments.map((environment) => ({
      id: environment.id,
      name: environment.name,
      kind: environment.kind,
      pullRequest: environment.pullRequest,
      url: environment.url,
      configured: isConfigured(environment, config),
      services: environment.services.map((row) => serviceResource(row, leftOut)),
    })),
  }));
}

const Rules = Type.Object({ environments: Type.Record(Type.String(), Type.Unknown()) });

/** Unless the rules in force say otherwise: a preview stands in no file, and rules may not have been read yet. */
function isConfigured({ kind, name }: { kind: EnvironmentResource['kind']; name: string }, rules: unknown): boolean {
  if (kind === 'preview' || !Value.Check(Rules, rules)) return true;
  return Object.hasOwn(rules.environments, name);
}

export async function findServiceResource(
  db: Db,
  id: string,
  context: LeftOutContext,
): Promise<ServiceResource | null> {
  const row = await db.service.findFirst({ where: { id, removedAt: null }, include: service });
  return row === null ? null : serviceResource(row, await readLeftOut(db, context, { serviceId: id }));
}

export async function hasService(db: Db, id: string): Promise<boolean> {
  return (await db.service.count({ where: { id, removedAt: null } })) > 0;
}

const Replicas = Type.Object({ replicas: Type.Integer() });

/** Also those that are lost, and are to be placed elsewhere. */
function replicasOf(release: ServiceRow['servingRelease']): number {
  return release !== null && Value.Check(Replicas, release.spec) ? release.spec.replicas : 0;
}

function serviceResource(row: ServiceRow, leftOut: readonly LeftOutReplica[]): ServiceResource {
  const [rollout] = row.rollouts;
  const healthy = row.allocations.filter(({ health, observed }) => observed === 'running' && health === 'healthy');
  return {
    id: row.id,
    name: row.name,
    generation: row.generation,
    serving: row.servingRelease === null ? null : releaseResource(row.servingRelease),
    replicas: { wanted: Math.max(row.allocations.length, replicasOf(row.servingRelease)), healthy: healthy.length },
    leftOut: leftOut.filter(({ serviceId }) => serviceId === row.id),
    rollout:
      rollout === undefined
        ? null
        : { id: rollout.id, stage: rollout.stage, reason: rollout.reason, finishedAt: iso(rollout.finishedAt) },
  };
}
