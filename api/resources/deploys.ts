/** `/api/v1/{projects,services,intents,builds,rollouts,allocations,audit-events}`: what is deployed, and why. */
import Type from 'typebox';
import { AllocationResource } from '../../core/contract/resources/allocations.ts';
import { AuditEventResource } from '../../core/contract/resources/audit-events.ts';
import { BuildResource } from '../../core/contract/resources/builds.ts';
import { IntentDetail, IntentResource } from '../../core/contract/resources/intents.ts';
import { ProjectResource } from '../../core/contract/resources/projects.ts';
import { RolloutDetail, RolloutResource } from '../../core/contract/resources/rollouts.ts';
import { ServiceResource } from '../../core/contract/resources/services.ts';
import { ApiError } from '../../platform/errors/api-codes.ts';
import { intentUrl } from '../../platform/links/intent-link.ts';
import { auditEvents } from '../../prisma/store/audit-events.ts';
import {
  buildResources,
  findBuildResource,
  findIntentDetail,
  intentResources,
} from '../../prisma/store/intent-resources.ts';
import { iso } from '../../prisma/store/iso.ts';
import { snapshot } from '../../prisma/client.ts';
import { findServiceResource, projectResources } from '../../prisma/store/project-resources.ts';
import { allocationResources, findRolloutDetail, rolloutResources } from '../../prisma/store/rollout-resources.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../http/bearer.ts';
import { IdParams, idOf, Uuid } from '../http/ids.ts';
import { answers, type Api } from '../http/routes.ts';
import { cancelBuild } from './cancel-build.ts';

const page = {
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  /** The id of the last one of the page before. */
  before: Type.Optional(Uuid),
};

export function deployRoutes(api: Api, deps: ApiDeps): void {
  projectRoutes(api, deps);
  intentRoutes(api, deps);
  buildRoutes(api, deps);
  rolloutRoutes(api, deps);
  auditRoutes(api, deps);
}

function projectRoutes(api: Api, { database, config, masterKeys }: ApiDeps): void {
  const context = { pools: config.pools, masterKeys };
  api.get(
    '/projects',
    {
      schema: {
        operationId: 'listProjects',
        tags: ['deploys'],
        response: answers(Type.Object({ projects: Type.Array(ProjectResource) })),
      },
    },
    async () => ({ projects: await snapshot(database, (tx) => projectResources(tx, context)) }),
  );

  api.get(
    '/services/:id',
    { schema: { operationId: 'getService', tags: ['deploys'], params: IdParams, response: answers(ServiceResource) } },
    async (request) => found(await snapshot(database, (tx) => findServiceResource(tx, idOf(request.params), context))),
  );
}

function intentRoutes(api: Api, { database, config, masterKeys }: ApiDeps): void {
  const { db } = database;
  const url = (id: string): string => intentUrl(config.publicUrl, masterKeys, id);

  api.get(
    '/intents',
    {
      schema: {
        operationId: 'listIntents',
        tags: ['deploys'],
        querystring: Type.Object({ ...page, environmentId: Type.Optional(Uuid) }),
        response: answers(Type.Object({ intents: Type.Array(IntentResource) })),
      },
    },
    async (request) => ({ intents: await intentResources(db, request.query, url) }),
  );

  api.get(
    '/intents/:id',
    { schema: { operationId: 'getIntent', tags: ['deploys'], params: IdParams, response: answers(IntentDetail) } },
    async (request) => found(await snapshot(database, (tx) => findIntentDetail(tx, idOf(request.params), url))),
  );
}

function buildRoutes(api: Api, deps: ApiDeps): void {
  const { db } = deps.database;

  api.get(
    '/builds',
    {
      schema: {
        operationId: 'listBuilds',
        tags: ['deploys'],
        querystring: Type.Object(page),
        response: answers(Type.Object({ builds: Type.Array(BuildResource) })),
      },
    },
    async (request) => ({ builds: await buildResources(db, request.query) }),
  );

  api.get(
    '/builds/:id',
    { schema: { operationId: 'getBuild', tags: ['deploys'], params: IdParams, response: answers(BuildResource) } },
    async (request) => found(await findBuildResource(db, idOf(request.params))),
  );

  api.post(
    '/builds/:id/cancel',
    { schema: { operationId: 'cancelBuild', tags: ['deploys'], params: IdParams, response: answers(BuildResource) } },
    async (request) => {
      const id = idOf(request.params);
      await cancelBuild(deps, id, accessOf(request).name);
      return found(await findBuildResource(db, id));
    },
  );
}

function rolloutRoutes(api: Api, { database }: ApiDeps): void {
  const { db } = database;
  api.get(
    '/rollouts',
    {
      schema: {
        operationId: 'listRollouts',
        tags: ['deploys'],
        querystring: Type.Object({ ...page, serviceId: Type.Optional(Uuid) }),
        response: answers(Type.Object({ rollouts: Type.Array(RolloutResource) })),
      },
    },
    async (request) => ({ rollouts: await rolloutResources(db, request.query) }),
  );

  api.get(
    '/rollouts/:id',
    { schema: { operationId: 'getRollout', tags: ['deploys'], params: IdParams, response: answers(RolloutDetail) } },
    async (request) => found(await snapshot(database, (tx) => findRolloutDetail(tx, idOf(request.params)))),
  );

  api.get(
    '/allocations',
    {
      schema: {
        operationId: 'listAllocations',
        tags: ['deploys'],
        querystring: Type.Object({ serviceId: Type.Optional(Uuid), nodeId: Type.Optional(Uuid) }),
        response: answers(Type.Object({ allocations: Type.Array(AllocationResource) })),
      },
    },
    async (request) => ({ allocations: await allocationResources(db, request.query) }),
  );
}

function auditRoutes(api: Api, { database: { db } }: ApiDeps): void {
  api.get(
    '/audit-events',
    {
      schema: {
        operationId: 'listAuditEvents',
        tags: ['audit'],
        querystring: Type.Object({
          limit: page.limit,
          before: Type.Optional(Type.String({ pattern: '^[0-9]{1,18}$' })),
          subject: Type.Optional(Type.String({ maxLength: 300 })),
        }),
        response: answers(Type.Object({ events: Type.Array(AuditEventResource) })),
      },
    },
    async (request) => {
      const { before, ...query } = request.query;
      const events = await auditEvents(db, { ...query, ...(before === undefined ? {} : { before: BigInt(before) }) });
      return { events: events.map((event) => ({ ...event, id: String(event.id), at: iso(event.at) })) };
    },
  );
}

function found<T>(resource: T | null): T {
  if (resource === null) throw new ApiError('not_found');
  return resource;
}
