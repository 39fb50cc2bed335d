/** Logs of builds and services, to read and to follow: a call with a cursor may wait for the lines that come next. */
import type { FastifyReply } from 'fastify';
import Type, { type Static } from 'typebox';
import { LogPage } from '../../core/contract/resources/log-pages.ts';
import { ApiError } from '../../platform/errors/api-codes.ts';
import { logTopic } from '../../platform/wake/topics.ts';
import { findAccess, type Access } from '../../prisma/store/access-tokens.ts';
import { findBuildResource } from '../../prisma/store/intent-resources.ts';
import { hasService } from '../../prisma/store/project-resources.ts';
import { allocationResources } from '../../prisma/store/rollout-resources.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../http/bearer.ts';
import { IdParams, idOf } from '../http/ids.ts';
import { answers, type Api } from '../http/routes.ts';
import { goneSignal, watch } from '../http/watch.ts';
import { isLogOver } from './log-end.ts';
import { readLogPage, type LogSource, type PageRead } from './log-page.ts';

const Query = Type.Object({
  /** Go on after the page that gave this cursor; without one, the last lines. */
  cursor: Type.Optional(Type.String({ maxLength: 20_000 })),
  limit: Type.Integer({ minimum: 1, maximum: 5_000, default: 500 }),
  /** Seconds to wait for lines, with a cursor. */
  wait: Type.Integer({ minimum: 0, maximum: 30, default: 0 }),
});

export interface LogDeps extends ApiDeps {
  /** Aborts when the API stops. */
  stopping: AbortSignal;
}

/** What a log consists of now. */
interface Log {
  sources: LogSource[];
  /** Nothing comes after what was read. */
  isOver: (reads: PageRead['reads']) => boolean;
}

/** How often a wait looks again by itself: whether the access was revoked (P72), and whether replicas came. */
const lookAgainMs = 4_000;

export function logRoutes(api: Api, deps: LogDeps): void {
  const { db } = deps.database;
  const tags = ['logs'];
  const schema = { tags, params: IdParams, querystring: Query, response: answers(LogPage) };

  api.get('/builds/:id/log', { schema: { ...schema, operationId: 'readBuildLog' } }, async (request, reply) => {
    const id = idOf(request.params);
    return follow(deps, { query: request.query, access: accessOf(request), reply }, async () => {
      const build = await findBuildResource(db, id);
      if (build === null) throw new ApiError('not_found');
      const isOver = (reads: PageRead['reads']) => reads.every((read) => isLogOver(build, read, deps.now()));
      return { sources: [{ stream: `build:${id}`, source: null }], isOver };
    });
  });

  api.get('/services/:id/logs', { schema: { ...schema, operationId: 'readServiceLogs' } }, async (request, reply) => {
    const serviceId = idOf(request.params);
    return follow(deps, { query: request.query, access: accessOf(request), reply }, async () => {
      if (!(await hasService(db, serviceId))) throw new ApiError('not_found');
      const allocations = await allocationResources(db, { serviceId });
      return {
        sources: allocations.map(({ id, replica, nodeName, releaseNumber }) => ({
          stream: `allocation:${id}`,
          source: `release ${releaseNumber}, replica ${replica} on ${nodeName}`,
        })),
        isOver: () => false,
      };
    });
  });
}

interface Following {
  query: Static<typeof Query>;
  access: Access;
  reply: FastifyReply;
}

/** Subscribes before each read, so that lines that come between are not missed (P09). */
async function follow(deps: LogDeps, following: Following, find: () => Promise<Log>): Promise<LogPage> {
  const { query, access, reply } = following;
  const signal = goneSignal(reply, deps.stopping);
  const until = performance.now() + (query.cursor === undefined ? 0 : query.wait * 1_000);
  for (;;) {
    const log = await find();
    const watching = watch(
      deps.wake,
      log.sources.map(({ stream }) => logTopic(stream)),
    );
    try {
      const { limit, cursor = null } = query;
      const { page, reads } = await readLogPage(deps.database.db, log.sources, { cursor, limit });
      const ended = log.isOver(reads);
      const timeoutMs = Math.min(lookAgainMs, until - performance.now());
      if (page.lines.length > 0 || ended || timeoutMs <= 0 || signal.aborted) return { ...page, ended };
      await watching.next({ timeoutMs, signal });
    } finally {
      watching.close();
    }
    if ((await findAccess(deps.database.db, { id: access.id })) === null) throw new ApiError('access_token_unknown');
  }
}
