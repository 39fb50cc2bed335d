/** `/api/v1/nodes`: the servers, and how one comes and goes. */
import Type from 'typebox';
import { AllocationResource } from '../../core/contract/resources/allocations.ts';
import { NodeKind, NodeRegistration, NodeResource } from '../../core/contract/resources/nodes.ts';
import { Name } from '../../core/spec/service.ts';
import { hashToken, newToken } from '../../platform/crypto/hash.ts';
import { ApiError } from '../../platform/errors/api-codes.ts';
import { sweepSoon } from '../../platform/queue/sweep-soon.ts';
import { notify } from '../../platform/wake/notify.ts';
import { nodeTopic } from '../../platform/wake/topics.ts';
import { transaction } from '../../prisma/client.ts';
import { recordAuditEvent } from '../../prisma/store/audit-events.ts';
import { findNodeResource, nodeResources } from '../../prisma/store/node-resources.ts';
import { createRegistrationToken, findNodeNamed, removeNode, setCordon } from '../../prisma/store/registration.ts';
import { allocationResources } from '../../prisma/store/rollout-resources.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../http/bearer.ts';
import { IdParams, idOf } from '../http/ids.ts';
import { answers, type Api } from '../http/routes.ts';

const tokenLifeMs = 24 * 60 * 60 * 1_000;

const tags = ['nodes'];

export function nodeRoutes(api: Api, deps: ApiDeps): void {
  listRoutes(api, deps);
  readRoute(api, deps);
  cordonRoutes(api, deps);
  removeRoute(api, deps);
}

const viewOf = ({ config, masterKeys, now }: ApiDeps) => ({ pools: config.pools, masterKeys, now: now() });

async function nodeWithId(deps: ApiDeps, nodeId: string): Promise<NodeResource> {
  const node = await findNodeResource(deps.database.db, nodeId, viewOf(deps));
  if (node === null) throw new ApiError('not_found');
  return node;
}

function listRoutes(api: Api, deps: ApiDeps): void {
  api.get(
    '/nodes',
    { schema: { operationId: 'listNodes', tags, response: answers(Type.Object({ nodes: Type.Array(NodeResource) })) } },
    async () => ({ nodes: await nodeResources(deps.database.db, viewOf(deps)) }),
  );

  api.post(
    '/nodes',
    {
      schema: {
        operationId: 'addNode',
        summary: 'Make a token under which one agent registers within 24 hours',
        tags,
        body: Type.Object({ name: Name, kind: NodeKind }),
        response: answers(NodeRegistration),
      },
    },
    async (request) => addNode(deps, accessOf(request).name, request.body),
  );
}

function readRoute(api: Api, deps: ApiDeps): void {
  api.get(
    '/nodes/:id',
    {
      schema: {
        operationId: 'getNode',
        tags,
        params: IdParams,
        response: answers(Type.Object({ node: NodeResource, allocations: Type.Array(AllocationResource) })),
      },
    },
    async (request) => {
      const nodeId = idOf(request.params);
      const node = await nodeWithId(deps, nodeId);
      return { node, allocations: await allocationResources(deps.database.db, { nodeId }) };
    },
  );
}

function cordonRoutes(api: Api, deps: ApiDeps): void {
  for (const [path, operationId, summary] of [
    ['cordon', 'cordonNode', 'Keep new replicas and builds away from a node; what runs there keeps running'],
    ['uncordon', 'uncordonNode', 'Let a node take new replicas and builds again'],
  ] as const)
    api.post(
      `/nodes/:id/${path}`,
      { schema: { operationId, summary, tags, params: IdParams, response: answers(NodeResource) } },
      async (request) => {
        const nodeId = idOf(request.params);
        await cordon(deps, accessOf(request).name, { nodeId, cordoned: path === 'cordon' });
        return nodeWithId(deps, nodeId);
      },
    );
}

function removeRoute(api: Api, deps: ApiDeps): void {
  api.delete(
    '/nodes/:id',
    {
      schema: {
        operationId: 'removeNode',
        summary: 'Take a node out: its agent is refused, and what ran there is placed elsewhere',
        tags,
        params: IdParams,
        response: answers(Type.Object({})),
      },
    },
    async (request) => {
      await takeOut(deps, accessOf(request).name, idOf(request.params));
      return {};
    },
  );
}

/** Keeps new replicas and builds away from the node, or lets them come again: what waits for room looks anew then. */
async function cordon(
  { database, queues, now }: ApiDeps,
  actor: string,
  { nodeId, cordoned }: { nodeId: string; cordoned: boolean },
): Promise<void> {
  const at = now();
  await transaction(database, async (tx) => {
    if (!(await setCordon(tx, nodeId, cordoned ? at : null))) throw new ApiError('not_found');
    const action = cordoned ? 'node.cordoned' : 'node.uncordoned';
    await recordAuditEvent(tx, { actor, action, subject: `node:${nodeId}`, at });
  });
  if (!cordoned) await sweepSoon(queues, at);
}

type NewNode = Pick<NodeRegistration, 'name' | 'kind'>;

async function addNode(
  { config, database, now }: ApiDeps,
  actor: string,
  { name, kind }: NewNode,
): Promise<NodeRegistration> {
  const token = newToken('lfr');
  const at = now();
  const expiresAt = new Date(at.getTime() + tokenLifeMs);
  await transaction(database, async (tx) => {
    if ((await findNodeNamed(tx, name)) !== null) throw new ApiError('name_taken');
    await createRegistrationToken(tx, { tokenHash: hashToken(token), nodeName: name, kind, expiresAt });
    await recordAuditEvent(tx, { actor, action: 'node.token_made', subject: `node-name:${name}`, at });
  });
  return { name, kind, token, expiresAt: expiresAt.toISOString(), url: config.publicUrl };
}

async function takeOut({ database, queues, now }: ApiDeps, actor: string, nodeId: string): Promise<void> {
  const at = now();
  await transaction(database, async (tx) => {
    const node = await removeNode(tx, nodeId, at);
    if (node === null) throw new ApiError('not_found');
    const event = { actor, action: 'node.removed', subject: `node:${nodeId}`, at };
    await recordAuditEvent(tx, { ...event, reason: `${node.name} was taken out.` });
    await notify(tx, [nodeTopic(nodeId)]);
  });
  // Builds that it held are offered again, and replicas of what serves are placed elsewhere.
  await sweepSoon(queues, at);
}
