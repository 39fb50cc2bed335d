import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bearerChallenge } from './access.ts';
import { diagnosePull } from './diagnose.ts';
import { exposedPorts, tcpPorts } from './manifest.ts';

const user = { username: 'u', password: 'p' };
const basic = `Basic ${Buffer.from('u:p').toString('base64')}`;
let server: Server;
let host: string;
let answers: Record<
  string,
  (authorization: string | undefined) => { status: number; body?: unknown; challenge?: string }
>;

beforeEach(async () => {
  server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    const { status, body, challenge } = answers[path]?.(request.headers.authorization) ?? { status: 404 };
    response.writeHead(status, challenge === undefined ? {} : { 'www-authenticate': challenge });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  host = `127.0.0.1:${(server.address() as { port: number }).port}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const manifest = '/v2/acme/web/manifests/sha256:1';
const pull = (change: object = {}) => ({
  image: `${host}/acme/web@sha256:1`,
  registry: { host, insecure: true, sealedCredentials: null },
  credentials: user,
  ...change,
});

describe('why a pull failed', () => {
  it.each([401, 403])('is a refused password when the registry says %i', async (status) => {
    answers = { [manifest]: () => ({ status, challenge: 'Basic realm="r"' }) };
    const failure = await diagnosePull(pull(), new Error('text of the engine'));
    expect(failure.code).toBe('registry_refused');
    expect(failure.message).toContain(`does not let this node pull as u (${status})`);
  });

  it('is a refused password when the token service says so', async () => {
    const challenge = `Bearer realm="http://${host}/token",service="r",scope="repository:acme/web:pull"`;
    answers = { [manifest]: () => ({ status: 401, challenge }), '/token': () => ({ status: 403 }) };
    expect((await diagnosePull(pull(), new Error('x'))).code).toBe('registry_refused');
  });

  it('is an image that is gone', async () => {
    answers = {};
    expect(await diagnosePull(pull(), new Error('x'))).toMatchObject({
      code: 'image_missing',
      message: expect.stringMatching(/is not in its registry any more/) as string,
    });
  });

  it('is what the engine said when the registry has nothing against it', async () => {
    answers = { [manifest]: () => ({ status: 200, body: {} }) };
    expect((await diagnosePull(pull(), new Error('blob is corrupt'))).message).toMatch(
      /could not be pulled: blob is corrupt/,
    );
  });

  it('is a registry that cannot be reached', async () => {
    const registry = { host: '127.0.0.1:1', insecure: true, sealedCredentials: null };
    const failure = await diagnosePull(pull({ registry, image: '127.0.0.1:1/x@sha256:1' }), new Error('refused'));
    expect(failure).toMatchObject({
      code: 'pull_failed',
      message: 'The registry 127.0.0.1:1 cannot be reached from this node: refused',
    });
  });
});

describe('the ports of an image', () => {
  const config = { config: { ExposedPorts: { '8080/tcp': {}, '53/udp': {}, '443': {} } } };
  const own = { config: { digest: 'sha256:c' } };
  const target = () => ({ host, insecure: true, credentials: user });
  const image = { repository: 'acme/web', digest: 'sha256:1' };

  it('are read from its configuration, with the password', async () => {
    const guarded = (body: unknown) => (authorization?: string) =>
      authorization === basic ? { status: 200, body } : { status: 401 };
    answers = { [manifest]: guarded(own), '/v2/acme/web/blobs/sha256:c': guarded(config) };
    expect(await exposedPorts(target(), image)).toEqual([443, 8080]);
  });

  it('are read with a token where the registry wants one', async () => {
    const challenge = `Bearer realm="http://${host}/token",service="r"`;
    const guarded = (body: unknown) => (authorization?: string) =>
      authorization === 'Bearer t' ? { status: 200, body } : { status: 401, challenge };
    answers = {
      [manifest]: guarded(own),
      '/v2/acme/web/blobs/sha256:c': guarded(config),
      '/token': (authorization) => ({ status: authorization === basic ? 200 : 401, body: { token: 't' } }),
    };
    expect(await exposedPorts(target(), image)).toEqual([443, 8080]);
  });

  it('are those of this machine’s variant', async () => {
    const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const variant = (digest: string, platform: object) => ({ digest, platform });
    const index = {
      manifests: [
        variant('sha256:w', { os: 'windows', architecture }),
        variant('sha256:l', { os: 'linux', architecture }),
      ],
    };
    answers = {
      [manifest]: () => ({ status: 200, body: index }),
      '/v2/acme/web/manifests/sha256:l': () => ({ status: 200, body: own }),
      '/v2/acme/web/blobs/sha256:c': () => ({ status: 200, body: {} }),
    };
    expect(await exposedPorts(target(), image)).toEqual([]);
  });

  it('take TCP alone, once, in order', () => {
    expect(tcpPorts(['9000/tcp', '80', '53/udp', '80/tcp', 'x/tcp', '70000/tcp'])).toEqual([80, 9000]);
  });
});

it('reads where to ask for a token', () => {
  expect(bearerChallenge('Bearer realm="https://auth.example.com/token",service="r",scope="repository:a:pull"')).toBe(
    'https://auth.example.com/token?service=r&scope=repository%3Aa%3Apull',
  );
  for (const other of [null, 'Basic realm="x"', 'Bearer realm="not a url"', 'Bearer'])
    expect(bearerChallenge(other)).toBeNull();
});
