/** The control API: `POST /_sandbox/{command}` with a JSON object, and the token as Bearer: whoever has it may push in anybody's name. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyError, FastifyInstance } from 'fastify';
import { ImpossibleRequest } from '../actions/users.ts';
import type { World } from '../world.ts';
import { commands, runCommand } from './commands.ts';
import { commandNames } from './names.ts';

export const controlBase = '/_sandbox';

function isToken(given: string | undefined, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given ?? ''), digest(`Bearer ${token}`));
}

export function controlRoutes(world: World, token: string) {
  return (instance: FastifyInstance): void => {
    // Only JSON is parsed, which a page of another origin cannot send without being asked first.
    instance.removeContentTypeParser('text/plain');
    instance.addHook('onRequest', async (request, reply) => {
      if (isToken(request.headers.authorization, token)) return;
      await reply.code(401).send({ message: 'The control API wants the token that the sandbox was started with.' });
    });
    instance.setErrorHandler((error: FastifyError | ImpossibleRequest, request, reply) => {
      const status = error instanceof ImpossibleRequest ? 400 : (error.statusCode ?? 500);
      if (status >= 500) request.log.error(error);
      return reply.code(status).send({ message: error.message });
    });
    instance.get(`${controlBase}/health`, () => ({ url: world.url, apiUrl: world.apiUrl }));
    for (const name of commandNames)
      instance.post(`${controlBase}/${name}`, { schema: { body: commands[name].input } }, async (request, reply) =>
        reply.send(await runCommand(world, name, request.body)),
      );
  };
}
