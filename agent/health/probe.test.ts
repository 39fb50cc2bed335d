import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HealthCheck } from '../../core/spec/service.ts';
import { prober, type ProbePorts, type ProbeTarget } from './probe.ts';

const timing = { intervalMs: 1_000, timeoutMs: 2_000, graceMs: 0, healthyAfter: 1, unhealthyAfter: 1 };
let server: Server;
let port: number;
let status = 200;

beforeEach(async () => {
  server = createServer((request, response) => {
    if (request.url !== '/silent') response.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as { port: number });
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const probe = (check: HealthCheck, change: Partial<ProbeTarget> = {}, ports: Partial<ProbePorts> = {}) =>
  prober({ exec: () => Promise.resolve(0), isRunning: () => true, ...ports })(
    { containerId: 'c1', ip: '127.0.0.1', port, check, ...change },
    new AbortController().signal,
  );
const http = (path = '/'): HealthCheck => ({ kind: 'http', path, ...timing });

describe('a probe over HTTP', () => {
  it.each([
    [200, true],
    [204, true],
    [302, true],
    [404, false],
    [503, false],
  ])('takes %i for ok: %s', async (code, ok) => {
    status = code;
    const result = await probe(http());
    expect(result.ok).toBe(ok);
    if (!result.ok) expect(result.message).toBe(`GET / on port ${port} answered ${code}.`);
  });

  it('gives up at its time limit', async () => {
    const result = await probe({ ...http('/silent'), timeoutMs: 50 });
    expect(result).toEqual({ ok: false, message: `The http check on port ${port} had no answer within 50 ms.` });
  });
});

it('connects, over TCP', async () => {
  const check: HealthCheck = { kind: 'tcp', ...timing };
  expect(await probe(check)).toEqual({ ok: true });
  expect(await probe(check, { port: 1 })).toMatchObject({
    ok: false,
    message: expect.stringMatching(/^The tcp check on port 1 failed: .*ECONNREFUSED/) as string,
  });
});

it('runs a command, and says how it ended', async () => {
  const check: HealthCheck = { kind: 'command', command: ['pg_isready', '-q'], ...timing };
  const commands: (readonly string[])[] = [];
  const exec = (_id: string, command: readonly string[]) => Promise.resolve(commands.push(command) === 1 ? 0 : 2);
  expect(await probe(check, {}, { exec })).toEqual({ ok: true });
  expect(await probe(check, {}, { exec })).toEqual({ ok: false, message: 'pg_isready -q exited with 2.' });
  expect(commands[0]).toEqual(['pg_isready', '-q']);
});

it('says that a container does not run', async () => {
  const check: HealthCheck = { kind: 'running', ...timing };
  expect(await probe(check, { port: null })).toEqual({ ok: true });
  expect(await probe(check, { port: null }, { isRunning: () => false })).toMatchObject({ ok: false });
});

it('names a check that needs a port and has none', async () => {
  expect(await probe(http(), { port: null })).toMatchObject({
    ok: false,
    message: expect.stringMatching(/needs a port/) as string,
  });
});
