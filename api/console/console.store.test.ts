import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { intentUrl } from '../../platform/links/intent-link.ts';
import { notify } from '../../platform/wake/notify.ts';
import { logTopic, rolloutTopic } from '../../platform/wake/topics.ts';
import type { Build, Intent, Rollout } from '../../prisma/client.ts';
import { revokeAccessToken } from '../../prisma/store/access-tokens.ts';
import { appendLog, readLogTail } from '../../prisma/store/logs.ts';
import { bearer, openTestAgent, useTestApi } from '../../test/store/api.ts';
import {
  buildSpec,
  makeAllocation,
  makeBuild,
  makeRelease,
  makeRollout,
  makeWorld,
  sha,
  spec,
  type World,
} from '../../test/store/rows.ts';

const hostile = `<img src=x onerror=alert(1)>"'</pre><script>alert(2)</script>`;

const api = useTestApi();
let base: string;
let world: World;
let intent: Intent;
let build: Build;
let rollout: Rollout;
let url: string;
let names = 0;

beforeAll(async () => {
  await api.fastify.listen({ port: 0, host: '127.0.0.1' });
  base = `http://127.0.0.1:${(api.fastify.server.address() as AddressInfo).port}`;
});

beforeEach(async () => {
  const { db } = api.database;
  world = await makeWorld(db);
  intent = await makeIntent();
  build = await makeBuild(db, world.projectId, { status: 'building', startedAt: new Date(), reason: hostile });
  await db.intentBuild.create({ data: { intentId: intent.id, buildId: build.id, service: 'web' } });
  const release = await makeRelease(db, world.service.id);
  rollout = await makeRollout(db, release, { intentId: intent.id, stage: 'starting' });
  const agent = await openTestAgent(api, `node-${++names}`);
  await makeAllocation(db, { nodeId: agent.nodeId, release, rolloutId: rollout.id }, { placement: [hostile] });
  await db.rolloutEvent.create({
    data: {
      rolloutId: rollout.id,
      at: new Date(),
      fromStage: 'pulling',
      toStage: 'starting',
      reasonCode: 'pulled',
      message: hostile,
    },
  });
  url = new URL(intentUrl(base, api.deps.masterKeys, intent.id)).href;
});

function makeIntent(): Promise<Intent> {
  return api.database.db.intent.create({
    data: {
      ...{ environmentId: world.environmentId, sha, ref: 'refs/heads/main', trigger: 'push', actor: hostile },
      ...{ config: {}, requestedAt: new Date(), reason: hostile },
    },
  });
}

function addLog(...texts: string[]): Promise<void> {
  return writeLog(texts, false);
}

async function writeLog(texts: string[], end: boolean): Promise<void> {
  const { db } = api.database;
  const stream = `build:${build.id}`;
  const { next: from } = await readLogTail(db, stream, 1);
  const lines = texts.map((text) => ({ at: new Date().toISOString(), text, error: false }));
  await db.$transaction(async (tx) => {
    await appendLog(tx, { stream, attempt: 1, offset: from, lines, end, at: new Date() }, 1_000_000);
    await notify(tx, [logTopic(stream)]);
  });
}

async function signIn(): Promise<{ cookie: string; accessId: string }> {
  const { id, headers } = await bearer(api);
  const link = await api.fastify.inject({ method: 'POST', url: '/api/v1/login-links', headers });
  const target = new URL(link.json<{ url: string }>().url);
  const answer = await api.fastify.inject({ url: `${target.pathname}${target.search}` });
  expect([answer.statusCode, answer.headers.location]).toEqual([303, '/']);
  return { cookie: String(answer.headers['set-cookie']).split(';')[0] ?? '', accessId: id };
}

it('P04: the overview and the nodes show what a node is not told of, and what it cannot do', async () => {
  const { db } = api.database;
  const { cookie } = await signIn();
  const at = api.clock.now.toISOString();
  const failure = { kind: 'stop_orphan', subject: 'a1', message: hostile, at, retryAt: at };
  await db.node.updateMany({ where: { name: `node-${names}` }, data: { failures: [failure] } });
  await db.release.updateMany({ where: { serviceId: world.service.id }, data: { spec: { name: 'broken' } } });
  const pageAt = async (path: string) => (await fetch(new URL(path, base), { headers: { cookie } })).text();
  expect(await pageAt('/')).toMatch(/is not told of it\. Why: its spec cannot be understood: /);
  const nodes = await pageAt('/nodes');
  expect(nodes).toMatch(/It is not told of web, replica 0: its spec cannot be understood: /);
  expect(nodes).toContain('It cannot stop a container that nothing expects (allocation a1): &lt;img');
  expect(nodes).not.toContain('<img src=x');
});

describe('the page of an intent', () => {
  it('P12: is what the URL posted to GitHub leads to, with every link on it', async () => {
    const page = await fetch(url);
    expect(page.status).toBe(200);
    const text = await page.text();
    const links = [...text.matchAll(/(?:href|src|data-events)="([^"]+)"/g)].map((match) =>
      (match[1] ?? '').replaceAll('&amp;', '&'),
    );
    expect(links.length).toBeGreaterThan(4);
    for (const link of links.filter((each) => each !== '/')) {
      const answer = await fetch(new URL(link, base));
      expect(answer.status, link).toBe(200);
      await answer.body?.cancel();
    }
  });

  it('P46: says what of the commit was not taken, and who has the say', async () => {
    const config = { web: { service: spec, build: buildSpec, notTaken: { replicas: 2 } } };
    await api.database.db.intent.update({ where: { id: intent.id }, data: { config } });
    const text = await (await fetch(url)).text();
    expect(text).toContain('said by landfall.yml on main, not by this commit: web runs with replicas 1 (not 2).');
  });

  it('P71: encodes names, reasons and log lines, and lets nothing in them run', async () => {
    await addLog(hostile, `\u001b[31mred\u001b[0m \u001b]8;;javascript:alert(3)\u0007link\u001b]8;;\u0007`);
    const page = await fetch(url);
    const text = await page.text();
    expect(text).not.toMatch(/<img|<script>|javascript:/);
    expect(text).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(text).toContain('<span class="ansi-red">red</span>');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('opens for whoever has its key, and for no other intent', async () => {
    const other = await makeIntent();
    const key = new URL(url).searchParams.get('key') ?? '';
    for (const path of [
      `/intents/${other.id}?key=${key}`,
      `/intents/${intent.id}`,
      `/intents/${intent.id}?key=`,
      `/intents/${intent.id}/events`,
      `/intents/${other.id}/events?key=${key}`,
      `/rollouts/${rollout.id}`,
      '/',
      '/nodes',
      `/?key=${key}`,
    ])
      expect((await fetch(new URL(path, base))).status, path).toBe(401);
    expect((await fetch(new URL(`/rollouts/${rollout.id}?key=${key}`, base))).status).toBe(200);
    expect((await fetch(new URL('/intents/nothing', base))).status).toBe(404);
  });
});

describe('the console', () => {
  it('opens every page to whoever is signed in', async () => {
    const { cookie } = await signIn();
    for (const path of ['/', '/nodes', `/intents/${intent.id}`, `/rollouts/${rollout.id}`]) {
      const answer = await api.fastify.inject({ url: path, headers: { cookie } });
      expect(answer.statusCode, path).toBe(200);
      expect(answer.body).not.toMatch(/<img|<script>/);
    }
    const missing = await api.fastify.inject({ url: `/intents/${world.projectId}`, headers: { cookie } });
    expect([missing.statusCode, missing.headers['content-type']]).toEqual([404, expect.stringContaining('text/html')]);
  });

  it('closes when the access token is revoked, and refuses forged cookies and old links', async () => {
    const { cookie, accessId } = await signIn();
    expect((await api.fastify.inject({ url: '/nodes', headers: { cookie: `${cookie}x` } })).statusCode).toBe(401);
    await revokeAccessToken(api.database.db, accessId, new Date());
    expect((await api.fastify.inject({ url: '/nodes', headers: { cookie } })).statusCode).toBe(401);
    expect((await api.fastify.inject({ url: '/login?token=nonsense' })).statusCode).toBe(401);
  });

  it('serves its files, to be kept for ever', async () => {
    const text = await (await fetch(url)).text();
    const path = /href="(\/console\/console\.css[^"]*)"/.exec(text)?.[1] ?? '';
    const answer = await fetch(new URL(path, base));
    expect(answer.headers.get('cache-control')).toContain('immutable');
    expect((await fetch(new URL('/console/../package.json', base))).status).toBe(404);
    expect((await fetch(new URL('/console/%2e%2e%2fpackage.json', base))).status).toBe(404);
  });
});

interface LiveEvent {
  event: string;
  id: string | null;
  data: unknown;
}

/** Server-sent events over a real socket. */
function live(path: string, headers: Record<string, string> = {}) {
  const events: LiveEvent[] = [];
  const state = { ended: false };
  let rest = '';
  const request = get(new URL(path, base), { headers, agent: false }, (answer) => {
    answer.setEncoding('utf8');
    answer.on('data', (chunk: string) => {
      const blocks = `${rest}${chunk}`.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) if (block.startsWith('event:')) events.push(parseEvent(block));
    });
    answer.once('close', () => (state.ended = true));
  });
  request.once('error', () => (state.ended = true));
  return { events, state, close: () => request.destroy() };
}

function parseEvent(block: string): LiveEvent {
  const fields = Object.fromEntries(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
  return { event: fields['event'] ?? '', id: fields['id'] ?? null, data: JSON.parse(fields['data'] ?? 'null') };
}

const eventsPath = () => url.replace(base, '').replace('?', '/events?');
/** Line by line, however many of them come in one event. */
const logsOf = (events: LiveEvent[]) =>
  events
    .filter(({ event }) => event === 'log')
    .flatMap(({ data }) => (data as { html: string }).html.split(/(?=<span class="line)/))
    .map((line) => line.replaceAll(/<[^>]+>/g, ''))
    .join('|');

describe('live', () => {
  it('shows lines and changes as they come, and ends with the intent', async () => {
    const page = live(eventsPath());
    await expect.poll(() => page.events.length).toBe(1);
    expect(page.events[0]?.data).toMatchObject({ summary: expect.any(String), rollouts: expect.any(String) });
    await addLog('first');
    await addLog('second');
    await expect.poll(() => logsOf(page.events)).toBe('first|second');
    await api.database.db.intent.update({
      where: { id: intent.id },
      data: { status: 'succeeded', finishedAt: new Date() },
    });
    await expect.poll(() => page.events.at(-1)?.event).toBe('end');
    expect(JSON.stringify(page.events)).toContain('succeeded');
    expect(JSON.stringify(page.events)).not.toMatch(/<img|<script/);
    await expect.poll(() => page.state.ended).toBe(true);
  });

  it('shows the lines that come after the build and the intent have ended, and ends with the log', async () => {
    const page = live(eventsPath());
    await expect.poll(() => page.events.length).toBe(1);
    const at = api.clock.now;
    await api.database.db.build.update({
      where: { id: build.id },
      data: { status: 'failed', attempt: 1, startedAt: at, finishedAt: at },
    });
    await api.database.db.intent.update({ where: { id: intent.id }, data: { status: 'failed', finishedAt: at } });
    await expect.poll(() => JSON.stringify(page.events)).toContain('failed');
    await addLog('why it failed');
    await expect.poll(() => logsOf(page.events)).toBe('why it failed');
    expect(page.events.map(({ event }) => event)).not.toContain('end');
    await writeLog(['the very last'], true);
    await expect.poll(() => page.events.at(-1)?.event).toBe('end');
    expect(logsOf(page.events)).toBe('why it failed|the very last');
    await expect.poll(() => page.state.ended).toBe(true);
  });

  it('hears of builds and rollouts from their rows, whoever writes them', async () => {
    const page = live(eventsPath());
    await expect.poll(() => page.events.length).toBe(1);
    // Once it listens to the rollout, too; a look that it takes by itself comes later than these.
    await expect.poll(() => [...api.listening.values()]).toContain(rolloutTopic(rollout.id));
    await api.database.db.build.update({ where: { id: build.id }, data: { reason: 'told by the build' } });
    await expect.poll(() => JSON.stringify(page.events)).toContain('told by the build');
    const event = {
      rolloutId: rollout.id,
      at: new Date(),
      reasonCode: 'waiting_for_health',
      message: 'told by the event',
    };
    await api.database.db.rolloutEvent.create({ data: event });
    await expect.poll(() => JSON.stringify(page.events)).toContain('told by the event');
    page.close();
  });

  it('goes on after the last line that was received', async () => {
    await addLog('one');
    const first = live(eventsPath());
    await expect.poll(() => logsOf(first.events)).toBe('one');
    const id = first.events.find(({ event }) => event === 'log')?.id ?? '';
    first.close();
    await addLog('two');
    const second = live(eventsPath(), { 'last-event-id': id });
    await expect.poll(() => logsOf(second.events)).toBe('two');
    second.close();
  });

  it('begins where the page ended', async () => {
    await addLog('on the page');
    const text = await (await fetch(url)).text();
    const events = (/data-events="([^"]+)"/.exec(text)?.[1] ?? '').replaceAll('&amp;', '&');
    const page = live(events);
    await addLog('after it');
    await expect.poll(() => logsOf(page.events)).toBe('after it');
    page.close();
  });

  it('P72: ends within 5 seconds after the access was revoked, also while lines keep coming', async () => {
    const { cookie, accessId } = await signIn();
    const page = live(`/intents/${intent.id}/events`, { cookie });
    await expect.poll(() => page.events.length).toBeGreaterThan(0);
    await revokeAccessToken(api.database.db, accessId, new Date());
    const chatter = setInterval(() => void addLog('more'), 100);
    await expect.poll(() => page.state.ended, { timeout: 5_500 }).toBe(true);
    clearInterval(chatter);
    expect(page.events.at(-1)?.event).toBe('revoked');
  });

  it('leaves nothing behind when the reader goes', async () => {
    const before = api.listening.size;
    const page = live(eventsPath());
    await expect.poll(() => api.listening.size).toBeGreaterThan(before);
    page.close();
    await expect.poll(() => api.listening.size).toBe(before);
  });
});
