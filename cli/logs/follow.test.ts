import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { LogPage } from '../../core/contract/resources/log-pages.ts';
import { apiClient, MismatchError, RefusedError } from '../client.ts';
import { followLog } from './follow.ts';

type Turn = { status: number; body: string } | 'cut before' | 'cut within';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** A control plane that answers each call with the next of these, and notes what it was asked. */
async function answering(turns: Turn[]): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const turn = turns.shift();
    if (turn === undefined || turn === 'cut before') return void request.socket.destroy();
    if (turn === 'cut within') {
      response.writeHead(200, { 'content-length': 1_000 }).write('{"lines":');
      return void setImmediate(() => request.socket.destroy());
    }
    response.writeHead(turn.status).end(turn.body);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const page = (offset: number, ended = false): LogPage => ({
  lines: [{ offset, at: '2030-01-01T00:00:00.000Z', text: `line ${offset}`, error: false, source: null }],
  ...{ cursor: `after-${offset}`, ended },
});

const ok = (offset: number, ended = false): Turn => ({ status: 200, body: JSON.stringify(page(offset, ended)) });

const refusal = (status: number, code: string): Turn => ({
  status,
  body: JSON.stringify({ error: { code, message: code, hint: null } }),
});

async function follow(turns: Turn[]) {
  const { url, asked } = await answering(turns);
  const api = apiClient({ url, token: 'token' });
  const told = { shown: [] as number[], said: [] as string[], pauses: 0 };
  const outcome = await followLog(page(0), {
    read: (cursor) => api.call({ method: 'GET', path: `/${cursor}`, answer: LogPage }),
    show: ({ lines }) => told.shown.push(...lines.map(({ offset }) => offset)),
    say: (sentence) => told.said.push(sentence),
    pause: () => Promise.resolve(told.pauses++),
  }).catch((error: unknown) => error);
  return { ...told, asked, outcome };
}

it('asks with the same cursor until the control plane is back: no line is left out, none comes twice', async () => {
  const behindProxy: Turn = { status: 502, body: '<html>Bad Gateway</html>' };
  const away: Turn[] = ['cut before', 'cut within', behindProxy, refusal(503, 'unavailable')];
  const { outcome, shown, asked, said, pauses } = await follow([ok(1), ...away, ok(2), ok(3, true)]);
  expect(outcome).toBeUndefined();
  expect(shown).toEqual([1, 2, 3]);
  expect(asked).toEqual(['/after-0', ...Array.from({ length: 5 }, () => '/after-1'), '/after-2']);
  expect(pauses).toBe(4);
  expect(said).toEqual([
    expect.stringMatching(/^Waiting for the control plane.*No control plane answers at/),
    expect.stringMatching(/answers again/),
  ]);
});

it.each([
  ['a revoked token', refusal(401, 'access_token_unknown'), RefusedError],
  ['a log that is gone', refusal(404, 'not_found'), RefusedError],
  ['something else that answers', { status: 200, body: '<html></html>' } satisfies Turn, MismatchError],
])('ends at %s', async (_what, turn, kind) => {
  const { outcome, asked, pauses } = await follow([ok(1), 'cut before', turn, ok(2, true)]);
  expect(outcome).toBeInstanceOf(kind);
  expect(asked).toHaveLength(3);
  expect(pauses).toBe(1);
});
