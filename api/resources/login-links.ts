/** A link that signs its reader in to the console: what the CLI prints. */
import Type from 'typebox';
import type { ApiDeps } from '../deps.ts';
import { sign } from '../console/session.ts';
import { accessOf } from '../http/bearer.ts';
import { answers, type Api } from '../http/routes.ts';

const LoginLink = Type.Object({ url: Type.String(), expiresAt: Type.String({ format: 'date-time' }) });

export function loginLinkRoutes(api: Api, { masterKeys, config, now }: ApiDeps): void {
  api.post(
    '/login-links',
    {
      schema: {
        operationId: 'makeLoginLink',
        summary: 'Make a link that signs in to the console for as long as this access token is not revoked',
        tags: ['console'],
        response: answers(LoginLink),
      },
    },
    (request) => {
      const { text, expiresAt } = sign(masterKeys, 'login link', { access: accessOf(request).id, now: now() });
      return { url: `${config.publicUrl}/login?token=${text}`, expiresAt: expiresAt.toISOString() };
    },
  );
}
