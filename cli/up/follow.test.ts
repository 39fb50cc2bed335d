import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Type from 'typebox';
import { afterEach, expect, it } from 'vitest';
import { UnreachableError, type ApiClient } from '../client.ts';
import { awaitServing, followPush } from './follow.ts';

/** A server that answers nothing `silent` times, and then as `answer` does. */
function interrupted(silent: number, answer: unknown): { api: ApiClient; calls: () => number } {
  let calls = 0;
  const call = (): Promise<unknown> =>
    ++calls <= silent ? Promise.reject(new UnreachableError('No control plane answers.')) : Promise.resolve(answer);
  return { api: { call: call as ApiClient['call'] }, calls: () => calls };
}

const awaited = (signal = AbortSignal.timeout(5_000)) => ({ repository: 'acme/shop', signal });

it('asks again when the server is away while it is started again', async () => {
  const { api, calls } = interrupted(3, { allocations: [], projects: [] });
  expect(await awaitServing(api, awaited())).toBeNull();
  expect(calls()).toBe(5);
});

it('says that it does not answer when the time is over', async () => {
  const { api } = interrupted(Infinity, null);
  await expect(awaitServing(api, awaited(AbortSignal.abort()))).rejects.toThrow(UnreachableError);
});

it('does not ask again what was refused', async () => {
  let calls = 0;
  const call = (): Promise<never> => {
    calls++;
    return Promise.reject(new Error('refused'));
  };
  const follow = { sha: 'a', pushedAt: 0, signal: AbortSignal.timeout(5_000), onStage: () => undefined };
  await expect(followPush({ call }, follow)).rejects.toThrow('refused');
  expect(calls).toBe(1);
});

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function serving(): Promise<number> {
  const server = createServer((_request, response) => response.end('here'));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A control plane with these allocations, which all belong to one intent that has succeeded. */
function deployed(...ports: (number | null)[]): ApiClient {
  const allocations = ports.map((port) => ({
    serviceId: 's',
    ip: '127.0.0.1',
    port,
    desired: 'running',
    releaseNumber: 1,
  }));
  const at = new Date(1).toISOString();
  const rollouts = [{ timeline: [{ at, toStage: 'running' }], allocations }];
  const intent = { id: 'i', sha: 'a', url: 'page', status: 'succeeded', requestedAt: at, builds: [], rollouts };
  const service = { id: 's', serving: {}, replicas: { wanted: ports.length } };
  const answers: Record<string, unknown> = {
    '/api/v1/allocations': { allocations },
    '/api/v1/projects': { projects: [{ repository: 'acme/shop', environments: [{ services: [service] }] }] },
    '/api/v1/intents?limit=20': { intents: [intent] },
    '/api/v1/intents/i': intent,
  };
  return { call: (({ path }: { path: string }) => Promise.resolve(answers[path])) as ApiClient['call'] };
}

const landed = (api: ApiClient): Promise<{ url: string | null }> =>
  followPush(api, { sha: 'a', pushedAt: 0, signal: AbortSignal.timeout(5_000), onStage: () => undefined });

it('finds what serves at the port of its release, whichever that is', async () => {
  const port = await serving();
  const url = `http://127.0.0.1:${port}/`;
  expect(await awaitServing(deployed(null, port), awaited())).toBe(url);
  expect(await landed(deployed(null, port))).toMatchObject({ url });
});

it('awaits no answer, and names no address, of what serves nothing', async () => {
  expect(await awaitServing(deployed(null), awaited())).toBeNull();
  expect(await landed(deployed(null))).toMatchObject({ url: null });
});

it('names the address of the repository that is asked for, though one of another answers first', async () => {
  const [port, foreign] = [await serving(), await serving()];
  const mine = deployed(port);
  const call = async ({ path }: { path: string }): Promise<unknown> => {
    const answer = await mine.call({ method: 'GET', path, answer: Type.Any() });
    if (path !== '/api/v1/allocations') return answer;
    const { allocations } = answer as { allocations: object[] };
    return { allocations: [{ ...allocations[0], serviceId: 'of another', port: foreign }, ...allocations] };
  };
  const api = { call: call as ApiClient['call'] };
  expect(await awaitServing(api, awaited())).toBe(`http://127.0.0.1:${port}/`);
  expect(await awaitServing(api, { ...awaited(), repository: 'acme/none' })).toBeNull();
});
