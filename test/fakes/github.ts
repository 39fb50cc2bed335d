/** For tests: a GitHub that gives prepared answers and remembers what it was asked. */
import { generateKeyPairSync } from 'node:crypto';
import pino from 'pino';
import { createGithubApp, type GithubApp, type GithubAppOptions } from '../../platform/github/app.ts';
import type { Fetch } from '../../platform/github/fetch.ts';

export interface Asked {
  method: string;
  /** Path and query, below the API's base. */
  path: string;
  body: unknown;
  authorization: string | null;
}

export type Answer = (asked: Asked) => Response | Promise<Response>;

export const apiUrl = 'http://github.test/api/v3';

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers });
}

export interface FakeGithub {
  app: GithubApp;
  /** Everything but the minting of the app's own tokens. */
  asked: Asked[];
  /** Tokens minted for the app's own use. */
  minted: string[];
}

/** `answer` is asked for all but the minting of the app's own tokens, unless `mint` is given. */
export function fakeGithub(
  answer: Answer,
  options: Partial<GithubAppOptions> & { mint?: () => Response } = {},
): FakeGithub {
  const asked: Asked[] = [];
  const minted: string[] = [];
  const mint = (): Response => {
    if (options.mint !== undefined) return options.mint();
    const token = `ghs_${minted.length + 1}`;
    minted.push(token);
    return json(201, { token, expires_at: new Date(Date.now() + 3_600_000).toISOString(), permissions: {} });
  };
  const fetch: Fetch = async (url, init) => {
    const headers = new Headers(init?.headers);
    const text = typeof init?.body === 'string' ? init.body : '';
    const request: Asked = {
      method: init?.method ?? 'GET',
      path: (url as string).slice(apiUrl.length),
      body: text === '' ? null : JSON.parse(text),
      authorization: headers.get('authorization'),
    };
    if (request.path.endsWith('/access_tokens') && request.body === null) return mint();
    asked.push(request);
    return await answer(request);
  };
  const app = createGithubApp({
    appId: 7,
    privateKey,
    webhookSecret: 'whsec',
    apiUrl,
    log: pino({ level: 'silent' }),
    throttle: { enabled: false },
    fetch,
    ...options,
  });
  return { app, asked, minted };
}
