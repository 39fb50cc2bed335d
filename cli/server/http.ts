/** The HTTP server that carries bot and API. Whatever no route of theirs answers is refused in the one shape of all errors. */
import fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { answerError, answerNotFound } from '../../api/http/errors.ts';

/** Until the whole of a request has arrived. */
const requestTimeoutMs = 60_000;

export function createHttp(log: FastifyBaseLogger): FastifyInstance {
  const http: FastifyInstance = fastify({
    loggerInstance: log,
    forceCloseConnections: true,
    requestTimeout: requestTimeoutMs,
    // A proxy on this machine says for whom it asks; from elsewhere nobody is believed.
    trustProxy: 'loopback',
    // Of a URL that no route can be found for.
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
  });
  http.setNotFoundHandler(answerNotFound);
  http.setErrorHandler(answerError);
  return http;
}
