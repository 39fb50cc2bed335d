import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { engineSocket, type EngineSocket } from './socket.ts';

let folder: string;
let engine: Server;
let socket: EngineSocket;
let waiting: number;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'landfall-socket-'));
  waiting = 0;
  engine = createServer((request, response) => {
    // A stop is answered when the container has stopped.
    if (request.url?.includes('/stop') === true) waiting += 1;
    else response.end(String(waiting));
  }).listen(path.join(folder, 'engine.sock'));
  await once(engine, 'listening');
  socket = engineSocket(path.join(folder, 'engine.sock'));
});

afterEach(async () => {
  socket.close();
  engine.closeAllConnections();
  engine.close();
  await once(engine, 'close');
  await rm(folder, { recursive: true });
});

it('P03: asks on while every container of a node is being waited for', async () => {
  const stops = Array.from({ length: 253 }, (_, index) =>
    socket.call({ method: 'POST', path: `/containers/${index}/stop` }).catch((error: unknown) => error),
  );
  const deadlineMs = 5_000;
  let waitedFor = 0;
  while (waitedFor < stops.length)
    waitedFor = Number((await socket.call({ method: 'GET', path: '/containers/json', deadlineMs })).body);
  engine.closeAllConnections();
  expect(await Promise.all(stops)).toHaveLength(253);
});
