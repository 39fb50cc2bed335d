/** The control API: `POST /_sandbox/{command}` with a JSON object. */
import type { FastifyError, FastifyInstance } from 'fastify';
import { ImpossibleRequest } from '../actions/users.ts';
import type { World } from '../world.ts';
import { commands, runCommand } from './commands.ts';
import { commandNames } from './names.ts';

export const controlBase = '/_sandbox';

export function controlRoutes(world: World) {
  return (instance: FastifyInstance): void => {
    // Only JSON is parsed, which a page of another origin cannot send without being asked first.
    instance.removeContentTypeParser('text/plain');
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
