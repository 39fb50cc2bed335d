/** What all pages have in common: what a browser may do with them, and how they say no. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { refusalOf } from '../http/errors.ts';
import type { Api } from '../http/routes.ts';
import { renderMessage } from './pages/message.ts';
import { consoleRoutes, type ConsoleDeps } from './routes.ts';

/** No script, style or connection but our own, and nothing at all from inside the page's text (P71). */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // A page's address may hold the key that opens it.
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

export function consolePages(api: Api, deps: ConsoleDeps): void {
  api.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
  api.setErrorHandler(answerPage);
  consoleRoutes(api, deps);
}

const titles: Record<number, string> = { 401: 'Please sign in', 404: 'Nothing here' };

async function answerPage(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { status, answer, ours } = refusalOf(error);
  if (ours) request.log.error({ err: error, route: request.routeOptions.url }, 'a page failed');
  const { message, hint } = answer.error;
  const signIn = status === 401 ? 'Open the link that `landfall up` printed, or the one on GitHub.' : hint;
  const title = titles[status] ?? 'That did not work';
  await reply
    .code(status)
    .type('text/html')
    .send(renderMessage({ title, message, hint: signIn }));
}
