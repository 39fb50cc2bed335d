import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { diagnosePush, parsePushTarget, probePush, pushTargets, tokenRealm } from './registry-probe.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

async function registry(handle: Handle): Promise<string> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
}

const credentials = { username: 'u', password: 'p' };
const basic = `Basic ${Buffer.from('u:p').toString('base64')}`;

/** Wants basic authentication, and answers uploads with the status. */
function basicRegistry(uploadStatus: number, seen: string[] = []): Handle {
  return (request, response) => {
    seen.push(`${String(request.method)} ${String(request.url)}`);
    const allowed = request.headers.authorization === basic;
    response.setHeader('www-authenticate', 'Basic realm="test"');
    response.setHeader('location', '/v2/a/b/blobs/uploads/1');
    response.writeHead(allowed ? (request.method === 'POST' ? uploadStatus : 204) : 401).end();
  };
}

function target(host: string) {
  return { host, repository: 'a/b', insecure: true };
}

describe('why a push failed', () => {
  it('is nothing when the registry takes an upload, which is given up again', async () => {
    const seen: string[] = [];
    const host = await registry(basicRegistry(202, seen));
    expect(await probePush(target(host), credentials)).toBeNull();
    expect(seen).toEqual(['GET /v2/', 'POST /v2/a/b/blobs/uploads/', 'DELETE /v2/a/b/blobs/uploads/1']);
  });

  it('is a refused password', async () => {
    const host = await registry(basicRegistry(202));
    const refused = { kind: 'registry-auth-refused', host, status: 401 };
    expect(await probePush(target(host), { username: 'u', password: 'wrong' })).toEqual(refused);
    expect(await probePush(target(host), undefined)).toEqual(refused);
  });

  it('is a right that is missing', async () => {
    const host = await registry(basicRegistry(403));
    expect(await probePush(target(host), credentials)).toMatchObject({ kind: 'registry-auth-refused', status: 403 });
  });

  it('is the registry’s own matter when it takes a small upload afterwards: it had no room for a large one', async () => {
    const host = await registry(basicRegistry(202));
    const image = { type: 'image', attrs: { name: `${host}/a/b`, push: 'true', 'registry.insecure': 'true' } };
    const request = { exports: [image], cacheExports: [], registryAuth: () => credentials };
    const message = 'blob upload unknown to registry';
    expect(await diagnosePush(request, message)).toEqual({ kind: 'push-failed', host, message });
    expect(await diagnosePush({ ...request, exports: [] }, message)).toBeNull();
  });

  it('is what the registry says to an upload: a full disk is a 500', async () => {
    const host = await registry(basicRegistry(500));
    expect(await probePush(target(host), credentials)).toEqual({ kind: 'registry-refused', host, status: 500 });
  });

  it('is a host that does not listen', async () => {
    const host = await registry(() => undefined);
    servers.splice(0).forEach((server) => server.close());
    expect(await probePush(target(host), undefined)).toMatchObject({
      kind: 'registry-unreachable',
      reason: 'ECONNREFUSED',
    });
  });

  it('is found through a token server too', async () => {
    const host: string = await registry((request, response) => {
      if (request.url?.startsWith('/token') === true) {
        expect(new URL(request.url, 'http://x').searchParams.get('scope')).toBe('repository:a/b:pull,push');
        if (request.headers.authorization === basic) response.end(JSON.stringify({ access_token: 'T' }));
        else response.writeHead(401).end();
        return;
      }
      response.setHeader('www-authenticate', `Bearer realm="http://${host}/token",service="s"`);
      const allowed = request.headers.authorization === 'Bearer T';
      response.writeHead(allowed ? 202 : 401).end();
    });
    expect(await probePush(target(host), credentials)).toBeNull();
    expect(await probePush(target(host), { username: 'u', password: 'wrong' })).toEqual({
      kind: 'registry-auth-refused',
      host,
      status: 401,
    });
  });
});

describe('where a request pushes to', () => {
  it.each([
    ['r.test/a/b:1', { host: 'r.test', repository: 'a/b' }],
    ['127.0.0.1:5000/a@sha256:0', { host: '127.0.0.1:5000', repository: 'a' }],
    ['localhost/a', { host: 'localhost', repository: 'a' }],
    ['library/a', null],
    ['a:1', null],
  ])('%s is %j', (reference, expected) => {
    expect(parsePushTarget(reference, false)).toEqual(expected === null ? null : { ...expected, insecure: false });
  });

  it('are its image and its cache', () => {
    const request = {
      exports: [
        { type: 'image', attrs: { name: 'r.test/a:1,r.test/b:1', push: 'true' } },
        { type: 'image', attrs: { name: 'r.test/c:1', push: 'false' } },
      ],
      cacheExports: [{ type: 'registry', attrs: { ref: 'r.test/d:cache', 'registry.insecure': 'true' } }],
    };
    expect(pushTargets(request).map(({ repository, insecure }) => [repository, insecure])).toEqual([
      ['a', false],
      ['b', false],
      ['d', true],
    ]);
  });
});

it('reads a challenge', () => {
  expect(tokenRealm('Bearer realm="https://a.test/t",service="s",scope="x"')).toEqual({
    realm: 'https://a.test/t',
    service: 's',
  });
  expect(tokenRealm('Basic realm="x"')).toBeNull();
  expect(tokenRealm(null)).toBeNull();
});
