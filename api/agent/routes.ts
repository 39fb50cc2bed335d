/** The calls of agents. The signature is checked before the body is read, the body against it before it is parsed. */
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../platform/errors/api-codes.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/routes.ts';
import { createAuthenticator } from './authenticate.ts';
import { expectedStateRoute } from './expected-state.ts';
import { logsRoute } from './logs.ts';
import { registerRoute } from './register.ts';
import { createSealer } from './sealer.ts';
import { statusRoute } from './status.ts';
import { workRoutes } from './work.ts';

export interface AgentDeps extends ApiDeps {
  /** Aborts when the API stops. */
  stopping: AbortSignal;
}

export function agentRoutes(api: Api, deps: AgentDeps): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  api.decorateRequest('node', null);
  api.decorateRequest('signed', null);

  api.register((open, _options, done) => {
    open.addHook('preValidation', (request, _reply, next) => {
      parseBody(request);
      next();
    });
    registerRoute(open, deps);
    done();
  });

  api.register((signed, _options, done) => {
    const authenticator = createAuthenticator(deps);
    const sealer = createSealer();
    signed.addHook('onRoute', ({ schema }) => {
      if (schema !== undefined) schema.security = [{ nodeSignature: [] }];
    });
    signed.addHook('onRequest', (request) => authenticator.checkHead(request));
    signed.addHook('preValidation', async (request) => {
      request.node = await authenticator.admit(request);
      parseBody(request);
    });
    expectedStateRoute(signed, { ...deps, sealer });
    statusRoute(signed, deps);
    workRoutes(signed, { ...deps, sealer });
    logsRoute(signed, deps);
    done();
  });
}

function parseBody(request: FastifyRequest): void {
  if (!(request.body instanceof Uint8Array)) return;
  try {
    request.body = JSON.parse(Buffer.from(request.body).toString('utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ApiError('invalid_request', 'The body is not JSON.');
  }
}
