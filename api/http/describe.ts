/** The OpenAPI description of the routes. */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';

/** For the plugin that gathers routes: it has to be there before the routes that it describes. */
export const description: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Landfall',
      version: '1',
      description:
        'What agents, the CLI and programs say to the control plane. Errors are `{ error: { code, message, hint } }`.',
    },
    tags: [
      { name: 'agent', description: 'Calls of agents: signed by RFC 9421, except registration' },
      { name: 'deploys', description: 'Projects, services, intents, builds, rollouts and allocations' },
      { name: 'deliveries', description: 'Webhooks of GitHub as received, and what became of each' },
      { name: 'nodes', description: 'The servers' },
      { name: 'secrets', description: 'Secrets of environments: their names, and values that only go in' },
      { name: 'logs', description: 'Logs, to read and to follow' },
      { name: 'tokens', description: 'Who may use the API' },
      { name: 'audit', description: 'What was decided, by whom and why' },
      { name: 'console', description: 'The way into the console' },
      { name: 'health', description: 'Whether it lives and can work' },
    ],
    components: {
      securitySchemes: {
        accessToken: { type: 'http', scheme: 'bearer' },
        nodeSignature: {
          type: 'apiKey',
          in: 'header',
          name: 'Signature',
          description:
            'HTTP Message Signatures (RFC 9421), Ed25519, over @method, @path, @query and content-digest, with created, nonce, keyid (the node id) and alg.',
        },
      },
    },
  },
};
