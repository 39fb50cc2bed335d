/** `GET /agent/expected-state`: the state of the node that asks, 304 while it is what the agent has, or a wait for a change. */
import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import { ExpectedState } from '../../core/contract/expected-state.ts';
import { ApiError } from '../../platform/errors/api-codes.ts';
import { nodeTopic } from '../../platform/wake/topics.ts';
import { groupCalls } from '../../platform/group/group-calls.ts';
import { readNodes, type NodeNow } from '../../prisma/store/admission.ts';
import { loadExpectedSnapshot } from '../../prisma/store/expected-state.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, type Api } from '../http/routes.ts';
import { goneSignal, watch } from '../http/watch.ts';
import { nodeOf, type AdmittedNode } from './authenticate.ts';
import { composeExpectedState, stateTag } from './expected.ts';
import type { Sealer } from './sealer.ts';
import { createStateCache, type NodeState, type StateCache } from './state-cache.ts';

const Query = Type.Object({
  /** Seconds to wait for a state other than the one named by If-None-Match. */
  wait: Type.Integer({ minimum: 0, maximum: 30, default: 0 }),
});

export interface ExpectedStateDeps extends ApiDeps {
  sealer: Sealer;
  /** Aborts when the API stops. */
  stopping: AbortSignal;
}

export function expectedStateRoute(api: Api, deps: ExpectedStateDeps): void {
  const cache = createStateCache((nodeId) => computeState(deps, nodeId));
  const read = groupCalls((nodeIds: readonly string[]) => readNodes(deps.database.pool, nodeIds), {
    maxItems: 500,
  });
  api.get(
    '/expected-state',
    {
      schema: {
        operationId: 'getExpectedState',
        summary: 'What this node is expected to run; answers 304 while If-None-Match still names it',
        tags: ['agent'],
        querystring: Query,
        response: { ...answers(ExpectedState), 304: Type.Null({ description: 'It is still the one that you have.' }) },
      },
    },
    async (request, reply) => {
      const node = nodeOf(request);
      const known = request.headers['if-none-match'] ?? null;
      const waitMs = known === null ? 0 : request.query.wait * 1_000;
      if (known !== null && cache.etagOf(node.nodeId, node.generation) === known && waitMs === 0)
        return unchanged(reply, known);
      const ask = { node, known, waitMs };
      const state = waitMs === 0 ? await current(cache, ask) : await waitForChange(deps, { cache, read, reply, ask });
      return state === null ? unchanged(reply, known ?? '') : changed(reply, state);
    },
  );
}

interface Ask {
  node: AdmittedNode;
  known: string | null;
  waitMs: number;
}

/** The state when it is another than the one known, else null. */
async function current(cache: StateCache, { node, known }: Ask): Promise<NodeState | null> {
  if (known !== null && cache.etagOf(node.nodeId, node.generation) === known) return null;
  const state = await cache.load(node.nodeId);
  if (state === null) throw new ApiError('node_removed');
  return state.etag === known ? null : state;
}

interface Waiting {
  cache: StateCache;
  read: (nodeId: string) => Promise<NodeNow | null>;
  reply: FastifyReply;
  ask: Ask;
}

/** Subscribes, then reads the generation anew: the one that came with the request was read before (P09). */
async function waitForChange(deps: ExpectedStateDeps, waiting: Waiting): Promise<NodeState | null> {
  const { nodeId } = waiting.ask.node;
  const watching = watch(deps.wake, [nodeTopic(nodeId)]);
  const signal = goneSignal(waiting.reply, deps.stopping);
  const until = performance.now() + waiting.ask.waitMs;
  try {
    for (;;) {
      const now = await waiting.read(nodeId);
      if (now === null || now.removed) throw new ApiError('node_removed');
      const state = await current(waiting.cache, { ...waiting.ask, node: { nodeId, generation: now.generation } });
      const timeoutMs = until - performance.now();
      if (state !== null || timeoutMs <= 0 || signal.aborted) return state;
      await watching.next({ timeoutMs, signal });
    }
  } finally {
    watching.close();
  }
}

async function computeState(deps: ExpectedStateDeps, nodeId: string): Promise<NodeState | null> {
  const snapshot = await loadExpectedSnapshot(deps.database, nodeId, deps.now());
  if (snapshot === null) return null;
  const state = composeExpectedState(deps, snapshot);
  const { problems, generation } = state;
  if (problems.length > 0)
    deps.log.warn({ nodeId, generation, problems }, 'a node is not told of all that it is to run');
  return { generation: state.generation, etag: stateTag(deps, state), body: JSON.stringify(state) };
}

function unchanged(reply: FastifyReply, etag: string): FastifyReply {
  return reply.code(304).header('etag', etag).send();
}

function changed(reply: FastifyReply, { etag, body }: NodeState): FastifyReply {
  return reply.header('etag', etag).header('cache-control', 'no-store').type('application/json').send(body);
}
