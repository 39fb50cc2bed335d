/** The console: small pages made here, readable without a script, live with one. */
import Type, { type Static } from 'typebox';
import { ApiError } from '../../platform/errors/api-codes.ts';
import { intentUrl } from '../../platform/links/intent-link.ts';
import { findIntentDetail, intentResources } from '../../prisma/store/intent-resources.ts';
import { readLogTail, type LogRead } from '../../prisma/store/logs.ts';
import { nodeResources } from '../../prisma/store/node-resources.ts';
import { snapshot } from '../../prisma/client.ts';
import { projectResources } from '../../prisma/store/project-resources.ts';
import { findRolloutDetail } from '../../prisma/store/rollout-resources.ts';
import type { ApiDeps } from '../deps.ts';
import { idOf, IdParams } from '../http/ids.ts';
import type { Api } from '../http/routes.ts';
import { goneSignal } from '../http/watch.ts';
import { decodeCursor, encodeCursor } from '../resources/log-page.ts';
import { requireReader, requireSession, type Reader } from './access.ts';
import { findAsset } from './assets.ts';
import { streamIntent } from './intent-events.ts';
import { renderIntentPage, type IntentLinks } from './pages/intent.ts';
import { renderNodesPage } from './pages/nodes.ts';
import { renderOverview } from './pages/overview.ts';
import { renderRolloutPage } from './pages/rollout.ts';
import { sessionCookie, sign, verify } from './session.ts';

export interface ConsoleDeps extends ApiDeps {
  /** Aborts when the API stops. */
  stopping: AbortSignal;
}

/** The API's description is not about pages. */
const hidden = { hide: true };

const Link = Type.Object({ key: Type.Optional(Type.String({ maxLength: 200 })) });
const EventsQuery = Type.Object({ ...Link.properties, from: Type.Optional(Type.String({ maxLength: 20_000 })) });

/** Lines of each build's log that a page begins with. */
const shownLines = 400;

export function consoleRoutes(api: Api, deps: ConsoleDeps): void {
  signedInPages(api, deps);
  linkedPages(api, deps);
  liveEvents(api, deps);
  loginRoute(api, deps);
  assetRoute(api);
}

const urlOf =
  ({ config, masterKeys }: ConsoleDeps) =>
  (intentId: string): string =>
    intentUrl(config.publicUrl, masterKeys, intentId);

function signedInPages(api: Api, deps: ConsoleDeps): void {
  const { db } = deps.database;
  const { config, masterKeys } = deps;
  const view = () => ({ pools: config.pools, masterKeys, now: deps.now() });

  api.get('/', { schema: hidden }, async (request, reply) => {
    await requireSession(deps, request);
    const [projects, intents, nodes] = await Promise.all([
      snapshot(deps.database, (tx) => projectResources(tx, view())),
      intentResources(db, { limit: 12 }, urlOf(deps)),
      nodeResources(db, view()),
    ]);
    return reply.type('text/html').send(renderOverview({ projects, intents, nodes }));
  });

  api.get('/nodes', { schema: hidden }, async (request, reply) => {
    await requireSession(deps, request);
    return reply.type('text/html').send(renderNodesPage(await nodeResources(db, view())));
  });
}

function linkedPages(api: Api, deps: ConsoleDeps): void {
  const { db } = deps.database;
  api.get('/intents/:id', { schema: { ...hidden, params: IdParams, querystring: Link } }, async (request, reply) => {
    const id = idOf(request.params);
    const reader = await requireReader(deps, request, id);
    const intent = await snapshot(deps.database, (tx) => findIntentDetail(tx, id, urlOf(deps)));
    if (intent === null) throw new ApiError('not_found');
    const logs = new Map<string, LogRead>();
    for (const build of intent.builds) logs.set(build.id, await readLogTail(db, `build:${build.id}`, shownLines));
    const positions = Object.fromEntries([...logs].map(([buildId, { next }]) => [`build:${buildId}`, next]));
    const links = intentLinks(id, reader, positions);
    const logOf = (buildId: string) => shownLog(logs.get(buildId));
    return reply.type('text/html').send(renderIntentPage({ intent, links, logOf }));
  });

  api.get('/rollouts/:id', { schema: { ...hidden, params: IdParams, querystring: Link } }, async (request, reply) => {
    const rollout = await snapshot(deps.database, (tx) => findRolloutDetail(tx, idOf(request.params)));
    const reader = await requireReader(deps, request, rollout?.intentId ?? null);
    if (rollout === null) throw new ApiError('not_found');
    const back = rollout.intentId === null ? null : `/intents/${rollout.intentId}${keyQuery(reader)}`;
    return reply
      .type('text/html')
      .send(renderRolloutPage(rollout, { intentUrl: back, signedIn: reader.kind === 'session' }));
  });
}

function liveEvents(api: Api, deps: ConsoleDeps): void {
  const { db } = deps.database;
  api.get(
    '/intents/:id/events',
    { schema: { ...hidden, params: IdParams, querystring: EventsQuery } },
    async (request, reply) => {
      const intentId = idOf(request.params);
      const reader = await requireReader(deps, request, intentId);
      const load = () => findIntentDetail(db, intentId, urlOf(deps));
      if ((await load()) === null) throw new ApiError('not_found');
      const positions = startOf(request.headers['last-event-id'], request.query);
      const links = intentLinks(intentId, reader, positions);
      const signal = goneSignal(reply, deps.stopping);
      reply.hijack();
      reply.raw.writeHead(200, { ...headersOf(reply.getHeaders()), 'content-type': 'text/event-stream' });
      reply.raw.flushHeaders();
      try {
        await streamIntent(deps, { intentId, reader, links, positions, load }, { raw: reply.raw, signal });
      } catch (error) {
        request.log.error({ err: error, intentId }, 'a live page broke off; the browser connects again');
      }
      reply.raw.end();
    },
  );
}

function loginRoute(api: Api, deps: ConsoleDeps): void {
  api.get(
    '/login',
    { schema: { ...hidden, querystring: Type.Object({ token: Type.String({ maxLength: 1_000 }) }) } },
    async (request, reply) => {
      const access = verify(deps.masterKeys, 'login link', { text: request.query.token, now: deps.now() });
      if (access === null) throw new ApiError('access_token_unknown', 'This link does not sign you in any more.');
      const session = sign(deps.masterKeys, 'session', { access, now: deps.now() });
      const secure = deps.config.publicUrl.startsWith('https:');
      return reply.header('set-cookie', sessionCookie(session, { secure })).redirect('/', 303);
    },
  );
}

function assetRoute(api: Api): void {
  api.get(
    '/console/:name',
    { schema: { ...hidden, params: Type.Object({ name: Type.String() }) } },
    async (request, reply) => {
      const asset = findAsset(request.params.name);
      if (asset === null) throw new ApiError('not_found');
      const kept = 'public, max-age=31536000, immutable';
      return reply.header('cache-control', kept).header('etag', `"${asset.etag}"`).type(asset.type).send(asset.content);
    },
  );
}

function keyQuery(reader: Reader): string {
  return reader.kind === 'link' ? `?key=${encodeURIComponent(reader.key)}` : '';
}

function intentLinks(intentId: string, reader: Reader, positions: Record<string, number>): IntentLinks {
  const query = new URLSearchParams({ from: encodeCursor(positions) });
  if (reader.kind === 'link') query.set('key', reader.key);
  return {
    rolloutUrl: (rolloutId) => `/rollouts/${rolloutId}${keyQuery(reader)}`,
    eventsUrl: `/intents/${intentId}/events?${query.toString()}`,
    signedIn: reader.kind === 'session',
  };
}

function shownLog(log: LogRead | undefined): { from: number; lines: LogRead['lines'] } {
  const lines = log?.lines ?? [];
  return { lines, from: lines[0]?.offset ?? 0 };
}

/** Where a browser that was connected before goes on, else where its page ended. */
function startOf(lastEventId: unknown, { from }: Static<typeof EventsQuery>): Record<string, number> {
  if (typeof lastEventId === 'string' && lastEventId !== '') return decodeCursor(lastEventId);
  return from === undefined ? {} : decodeCursor(from);
}

function headersOf(headers: Record<string, number | string | string[] | undefined>): Record<string, string> {
  const texts = Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []));
  return Object.fromEntries(texts) as Record<string, string>;
}
