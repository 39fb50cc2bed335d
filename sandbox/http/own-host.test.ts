import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { controlToken } from '../testing/harness.ts';
import { useStage } from '../testing/use-stage.ts';
import { isOwnHost } from './own-host.ts';

const stage = useStage();

describe('the sandbox answers', () => {
  it.each(['127.0.0.1', '127.0.0.1:7781', 'localhost', 'localhost:7781', 'LOCALHOST:1', '[::1]:7781', 'ten.example:1'])(
    'when it is asked as %s',
    (host) => expect(isOwnHost(host, 'ten.example')).toBe(true),
  );

  it.each([undefined, '', 'evil.example', 'localhost.evil.example:7781', '127.0.0.1.nip.io', 'localhost@evil.example'])(
    'not when it is asked as %s',
    (host) => expect(isOwnHost(host, 'ten.example')).toBe(false),
  );
});

/** `fetch` chooses the host by itself. */
async function statusAs(host: string, path: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  const asked = request(new URL(path, stage.sandbox.url), { headers: { ...headers, host } }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}

it.each([
  ['page', '/acme/shop', {}],
  ['control API', '/_sandbox/health', { authorization: `Bearer ${controlToken}` }],
  ['REST API', '/api/v3/rate_limit', { 'user-agent': 'x' }],
  ['git', '/acme/shop.git/info/refs?service=git-upload-pack', {}],
])('serves its %s to no name that somebody else has made point here', async (_what, path, headers) => {
  const { port } = new URL(stage.sandbox.url);
  expect(await statusAs(`evil.example:${port}`, path, headers)).toBe(421);
  expect(await statusAs(`localhost:${port}`, path, headers)).not.toBe(421);
});
