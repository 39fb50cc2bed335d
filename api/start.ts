/** The API as a part of a server: agents, CLI and console, in a scope of its own. */
import { setMaxListeners } from 'node:events';
import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifyPluginCallback } from 'fastify';
import { agentRoutes } from './agent/routes.ts';
import { consolePages } from './console/plugin.ts';
import type { ApiDeps } from './deps.ts';
import { healthRoutes } from './health.ts';
import { requireAccessToken } from './http/bearer.ts';
import { description } from './http/describe.ts';
import { answerError, answerNotFound } from './http/errors.ts';
import type { Api } from './http/routes.ts';
import { validatorCompiler } from './http/validation.ts';
import { deliveryRoutes } from './resources/deliveries.ts';
import { deployRoutes } from './resources/deploys.ts';
import { environmentRoutes } from './resources/environments.ts';
import { loginLinkRoutes } from './resources/login-links.ts';
import { logRoutes } from './resources/logs.ts';
import { masterKeyRoutes } from './resources/master-keys.ts';
import { nodeRoutes } from './resources/nodes.ts';
import { secretRoutes } from './resources/secrets.ts';
import { tokenRoutes } from './resources/tokens.ts';

export interface StartedApi {
  /** Adds the routes to a server, beside what else it carries. */
  register(fastify: FastifyInstance): Promise<void>;
  /** Ends long polls and live pages, so that the server can close. */
  stop(): void;
}

interface Deps extends ApiDeps {
  /** Aborts when the API stops. */
  stopping: AbortSignal;
}

export function startApi(deps: ApiDeps): StartedApi {
  const stop = new AbortController();
  // Every long poll listens to it.
  setMaxListeners(0, stop.signal);
  const all = { ...deps, stopping: stop.signal };
  return {
    async register(fastify) {
      await fastify.register(api(all));
    },
    stop: () => stop.abort(),
  };
}

function api(deps: Deps): FastifyPluginCallback {
  return (scope: Api, _options, done) => {
    scope.setValidatorCompiler(validatorCompiler());
    scope.setErrorHandler(answerError);
    scope.register(swagger, description);
    scope.register((health: Api, _none, ready) => {
      healthRoutes(health, deps);
      ready();
    });
    scope.register(version1(deps), { prefix: '/api/v1' });
    scope.register((console: Api, _none, ready) => {
      consolePages(console, deps);
      ready();
    });
    done();
  };
}

function version1(deps: Deps): FastifyPluginCallback {
  return (scope: Api, _options, done) => {
    scope.setNotFoundHandler(answerNotFound);
    scope.get('/openapi.json', { schema: { hide: true } }, () => scope.swagger());
    scope.register(
      (agent: Api, _none, ready) => {
        agentRoutes(agent, deps);
        ready();
      },
      { prefix: '/agent' },
    );
    scope.register((people: Api, _none, ready) => {
      people.decorateRequest('access', null);
      people.addHook('onRequest', requireAccessToken(deps));
      people.addHook('onRoute', ({ schema }) => {
        if (schema !== undefined) schema.security = [{ accessToken: [] }];
      });
      nodeRoutes(people, deps);
      deployRoutes(people, deps);
      deliveryRoutes(people, deps);
      environmentRoutes(people, deps);
      logRoutes(people, deps);
      secretRoutes(people, deps);
      masterKeyRoutes(people, deps);
      tokenRoutes(people, deps);
      loginLinkRoutes(people, deps);
      ready();
    });
    done();
  };
}
