/** The REST API under its base path. */
import type { FastifyInstance } from 'fastify';
import type { World } from '../world.ts';
import { servedOperations } from '../rest/operations.ts';
import { Dispatcher } from './dispatch.ts';
import { Router } from './router.ts';

export const apiBase = '/api/v3';
const largestBody = 25 * 1024 * 1024;

export function restRoutes(world: World) {
  const dispatcher = new Dispatcher(world, new Router(servedOperations));
  return (instance: FastifyInstance): void => {
    // Parsed by the dispatcher, which words a broken body as GitHub does.
    instance.removeAllContentTypeParsers();
    instance.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: largestBody }, (_request, body, done) =>
      done(null, body),
    );
    instance.all(`${apiBase}/*`, async (request, reply) => {
      const url = new URL(request.url, world.url);
      const path = request.url.slice(apiBase.length).replace(/\?.*$/, '');
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const answer = await dispatcher.answer({ method: request.method, url, path, headers: request.headers, body });
      return reply
        .code(answer.status)
        .headers({ ...answer.headers, 'x-github-request-id': request.id })
        .send(request.method === 'HEAD' || answer.status === 204 ? undefined : answer.body);
    });
  };
}
