import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { connect, createServer as createTcp, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveTool } from '../../cli/tools/resolve.ts';
import type { HttpRoute, Routes } from '../../core/contract/routes.ts';
import { noHttpOptions, noRoutes } from '../../test/core/facts.ts';
import { traefik, type Traefik, type TraefikOptions } from './traefik.ts';

let dir: string;
let options: TraefikOptions;
let proxy: Traefik;
const servers: Server[] = [];

async function freePort(): Promise<number> {
  const server = createTcp();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A replica that answers with its name. */
async function replica(name: string): Promise<string> {
  const server = createServer((asked, answer) => answer.end([name, asked.url, asked.headers['x-a']].join(' ')));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function ask(host: string, url = '/', headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = httpRequest({
      host: '127.0.0.1',
      port: portOf(options.http),
      path: url,
      headers: { host, ...headers },
    });
    call.on('response', (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    call.on('error', reject);
    call.end();
  });
}

function portOf(address: string): number {
  return Number(address.split(':').at(-1));
}

function web(targets: HttpRoute['targets'], change: Partial<HttpRoute> = {}): HttpRoute {
  return {
    id: 'web',
    hosts: ['shop.test'],
    path: null,
    tls: null,
    options: noHttpOptions,
    health: null,
    targets,
    ...change,
  };
}

function routes(change: Partial<Routes>): Routes {
  return { ...noRoutes, ...change };
}

const target = (releaseId: string, ...backends: [string, number][]): HttpRoute['targets'][number] => ({
  ...{ releaseId, weight: 1 },
  backends: backends.map(([address, weight]) => ({ address, weight })),
});

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'landfall-traefik-'));
  const [http, https, internal] = await Promise.all([freePort(), freePort(), freePort()]);
  options = {
    ...{
      program: (await resolveTool('traefik')).path,
      env: { PATH: '/usr/bin:/bin' },
      dataDir: dir,
      runDir: path.join(dir, 'run'),
    },
    ...{ http: `127.0.0.1:${http}`, https: `127.0.0.1:${https}`, bind: '127.0.0.1', internal: `127.0.0.1:${internal}` },
    ...{ lifetime: 'ends_with_agent', openKey: ({ sealedKey }) => sealedKey, log: () => undefined },
  };
  proxy = traefik(options);
});

afterAll(async () => {
  await proxy.stop();
  for (const server of servers) server.close();
  await rm(dir, { recursive: true, force: true });
});

describe('Traefik', () => {
  it('serves a route when `apply` comes back, and looking again finds nothing', async () => {
    const wanted = routes({ http: [web([target('r1', [await replica('one'), 1])])] });
    expect(await proxy.look(wanted)).toEqual(['Traefik does not run']);
    await proxy.apply(wanted);
    expect(await ask('shop.test', '/x')).toEqual({ status: 200, body: 'one /x ' });
    expect((await ask('other.test')).status).toBe(404);
    expect(await proxy.look(wanted)).toEqual([]);
  });

  it('has the next routes in force as soon as `apply` comes back, each time', async () => {
    const [blue, green] = [await replica('blue'), await replica('green')];
    for (let round = 0; round < 10; round++) {
      const [name, address] = round % 2 === 0 ? (['green', green] as const) : (['blue', blue] as const);
      await proxy.apply(routes({ http: [web([target(name, [address, 1])])] }));
      expect((await ask('shop.test')).body).toMatch(name);
    }
  });

  it('divides requests 5 to 1 between a replica here and one elsewhere', async () => {
    const [here, there] = [await replica('here'), await replica('there')];
    await proxy.apply(routes({ http: [web([target('r1', [here, 5], [there, 1])])] }));
    const bodies = await Promise.all(Array.from({ length: 120 }, () => ask('shop.test')));
    expect(bodies.filter(({ body }) => body.startsWith('here'))).toHaveLength(100);
  });

  it('does what options say', async () => {
    const address = await replica('app');
    const some = { ...noHttpOptions, requestHeaders: { 'X-A': 'set' }, stripPath: true };
    const closed = { ...noHttpOptions, allow: ['192.0.2.0/24'] };
    const www = { ...noHttpOptions, www: 'remove' as const };
    // The hash of "secret", made by htpasswd.
    const basicAuth = ['ada:$apr1$dHjB0/..$mkTTbqwpK/0h/rz4ZeN8M0'];
    await proxy.apply(
      routes({
        http: [
          web([target('r1', [address, 1])], { path: '/api', options: some }),
          web([target('r1', [address, 1])], { id: 'closed', hosts: ['closed.test'], options: closed }),
          web([target('r1', [address, 1])], { id: 'www', hosts: ['bare.test'], options: www }),
          web([target('r1', [address, 1])], {
            id: 'auth',
            hosts: ['auth.test'],
            options: { ...noHttpOptions, basicAuth },
          }),
        ],
      }),
    );
    expect(await ask('shop.test', '/api/items')).toEqual({ status: 200, body: 'app /items set' });
    expect((await ask('shop.test', '/apiary')).status).toBe(404);
    expect((await ask('closed.test')).status).toBe(403);
    expect((await ask('www.bare.test', '/x')).status).toBe(301);
    expect((await ask('bare.test', '/x')).body).toBe('app /x ');
    expect((await ask('auth.test')).status).toBe(401);
  });

  it('keeps the last good routes when it refuses the next, and says what it refuses', async () => {
    const good = routes({ http: [web([target('good', [await replica('good'), 1])])] });
    await proxy.apply(good);
    const bad = routes({ http: [web([target('bad', [await replica('bad'), 1])], { hosts: ['shop.test`) || ('] })] });
    await expect(proxy.apply(bad)).rejects.toThrow(/does not serve these routes: .*web/);
    await expect.poll(() => proxy.look(good)).toEqual([]);
    expect((await ask('shop.test')).body).toMatch(/^good/);
  });

  it('undoes a change of its file by hand', async () => {
    const wanted = routes({ http: [web([target('r1', [await replica('mine'), 1])])] });
    await proxy.apply(wanted);
    const file = path.join(dir, 'traefik', 'routes.yml');
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('shop.test', 'stolen.test'));
    expect(await proxy.look(wanted)).toContain('The file of routes is another one');
    await proxy.apply(wanted);
    await expect.poll(async () => (await ask('shop.test')).body).toMatch(/^mine/);
  });

  it('carries TCP on a port of its own, which takes another start beside the first', async () => {
    const echo = createTcp((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(echo.address() as AddressInfo).port}`;
    const port = await freePort();
    const wanted = routes({
      http: [web([target('r1', [await replica('still'), 1])])],
      tcp: [{ id: 'echo', port, host: null, tls: null, targets: [target('r1', [address, 1])] }],
    });
    await proxy.apply(wanted);
    const said = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('hello'));
      socket.once('data', (data) => {
        resolve(data.toString());
        socket.destroy();
      });
      socket.once('error', reject);
    });
    expect(said).toBe('hello');
    expect((await ask('shop.test')).body).toMatch(/^still/);
    echo.close();
  });

  it('is found again by another agent, and started again when it was killed', async () => {
    const wanted = routes({ http: [web([target('r1', [await replica('again'), 1])])] });
    await proxy.apply(wanted);
    const next = traefik(options);
    expect(await next.look(wanted)).toEqual([]);
    const { pid } = JSON.parse(await readFile(path.join(dir, 'traefik', 'process.json'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => next.look(wanted)).toEqual(['Traefik does not run']);
    await next.apply(wanted);
    expect((await ask('shop.test')).body).toMatch(/^again/);
  });

  it('counts requests by route and release', async () => {
    const metrics = await proxy.api.metrics();
    expect(metrics).toMatch(/traefik_service_requests_total\{.*service="web-r1@file".*\} \d+/);
  });
});
