import { beforeEach, describe, expect, it } from 'vitest';
import { startDelivery } from '../prisma/store/deliveries.ts';
import { findIntentDetail } from '../prisma/store/intent-resources.ts';
import { useBot } from '../test/bot/harness.ts';
import { processDelivery } from './deliveries/process-delivery.ts';

const dockerfile = 'FROM scratch\nEXPOSE 3000\n';
const twoEnvironments = `services:
  web:
    port: 8080
environments:
  production: {}
  staging:
    branch: develop
    url: https://staging.example.com
`;

const bot = useBot();
let count = 0;

beforeEach(() => {
  bot.sandbox.faults.clear();
});

/** A repository of its own for each test, with the app installed and its first push worked on. */
async function repository(files: Record<string, string>) {
  const made = await bot.sandbox.createRepository({ owner: 'acme', name: `shop-${++count}`, files });
  expect(await bot.settle()).toEqual([]);
  bot.enqueued.length = 0;
  return made;
}

function push(repositoryId: number, branch: string, files: Record<string, string | null>) {
  return bot.sandbox.commit({ repositoryId, branch, from: 'main', author: 'ada', message: 'change', files });
}

/** Moves refs as a developer's git would. */
async function moveRef(fullName: string, method: 'POST' | 'PATCH' | 'DELETE', ref: string, body?: object) {
  const { token } = await bot.sandbox.userToken({ login: 'acme' });
  const path = method === 'POST' ? 'refs' : ref;
  const answer = await fetch(`${bot.sandbox.apiUrl}/repos/${fullName}/git/${path}`, {
    method,
    headers: { authorization: `token ${token}` },
    body: body === undefined ? null : JSON.stringify(method === 'POST' ? { ref, ...body } : body),
  });
  expect(answer.ok).toBe(true);
}

function intentsOf(repositoryId: number) {
  return bot.database.db.intent.findMany({
    where: { environment: { project: { repositoryId } } },
    include: { environment: true, builds: { include: { build: true } } },
    orderBy: { createdAt: 'asc' },
  });
}

async function lastIntent(repositoryId: number) {
  return (await intentsOf(repositoryId)).at(-1)!;
}

function pushesOf(repositoryId: number) {
  return bot.database.db.delivery.findMany({
    where: { repositoryId, event: 'push' },
    orderBy: { receivedAt: 'asc' },
    select: { guid: true, status: true, reasonCode: true, reason: true },
  });
}

async function lastPush(repositoryId: number) {
  return (await pushesOf(repositoryId)).at(-1)!;
}

function owedFor(subject: string) {
  return bot.database.db.outboxWrite.findMany({ where: { subject: { startsWith: subject } }, orderBy: { id: 'asc' } });
}

/** By a failed check run that shows this. */
async function expectRefused({ id, sha }: { id: number; sha: string }, output: object) {
  const [owed] = await owedFor(`config:${id}:${sha}`);
  expect(owed!.payload).toMatchObject({ body: { conclusion: 'failure', output } });
}

describe('a push that is deployed', () => {
  it('becomes an intent with its builds, and is owed to GitHub', async () => {
    const { id } = await repository({ Dockerfile: dockerfile });
    const { sha } = await push(id, 'main', { 'index.html': 'hello' });
    expect(await bot.settle()).toEqual([]);
    const last = await lastIntent(id);
    expect(last).toMatchObject({
      sha,
      ref: 'refs/heads/main',
      trigger: 'push',
      actor: 'ada',
      status: 'active',
      environment: { name: 'production' },
      builds: [{ service: 'web', build: { sha, status: 'queued' } }],
    });
    expect(last.config).toMatchObject({ web: { service: { port: 3000 } } });
    expect((await owedFor(`intent:${last.id}`)).map(({ kind }) => kind)).toEqual([
      'createCheckRun',
      'createDeployment',
    ]);
    expect(bot.enqueued).toEqual([
      { job: 'advanceBuild', payload: { buildId: last.builds[0]!.buildId, version: 0 } },
      { job: 'flushOutbox', payload: expect.objectContaining({}) as object },
    ]);
    expect(await lastPush(id)).toMatchObject({ status: 'processed' });
    expect(await bot.database.db.auditEvent.count({ where: { subject: `intent:${last.id}` } })).toBe(1);
  });

  it('comes to the environment that names its branch', async () => {
    const { id } = await repository({ Dockerfile: dockerfile, 'landfall.yml': twoEnvironments });
    await push(id, 'develop', { 'index.html': 'next' });
    await bot.settle();
    expect(await lastIntent(id)).toMatchObject({
      ref: 'refs/heads/develop',
      environment: { name: 'staging', url: 'https://staging.example.com' },
    });
  });

  it('P46: says in the check run, which is opened anyway, what of its own settings is not taken', async () => {
    const { id } = await repository({ Dockerfile: dockerfile, 'landfall.yml': twoEnvironments });
    const greedy = twoEnvironments.replace('8080', '8080\n    replicas: 2\n    resources: { memory: 1Gi }');
    await push(id, 'develop', { 'landfall.yml': greedy });
    expect(await bot.settle()).toEqual([]);
    const staged = await lastIntent(id);
    expect(staged.config).toMatchObject({
      web: { service: { replicas: 1, resources: { memoryBytes: 256 * 2 ** 20 } } },
    });
    const said =
      'said by landfall.yml on main, not by this commit: web runs with memory 256Mi (not 1Gi), replicas 1 (not 2).';
    const owed = await owedFor(`intent:${staged.id}`);
    expect(owed.map(({ kind }) => kind)).toEqual(['createCheckRun', 'createDeployment']);
    expect(JSON.stringify(owed[0]?.payload)).toContain(said.replace(/[()]/g, '\\\\$&'));
    const detail = await findIntentDetail(bot.database.db, staged.id, bot.deps.consoleUrl);
    expect(detail?.notTaken).toContain(said);
    await push(id, 'develop', { 'landfall.yml': twoEnvironments });
    expect(await bot.settle()).toEqual([]);
    const plain = await lastIntent(id);
    expect((await findIntentDetail(bot.database.db, plain.id, bot.deps.consoleUrl))?.notTaken).toBeNull();
    const payloads = (await owedFor(`intent:${plain.id}`)).map(({ payload }) => payload);
    expect(JSON.stringify(payloads)).not.toContain('How much');
  });

  it('P46: takes its shape from the commit, and its rights from the default branch', async () => {
    const { id } = await repository({ Dockerfile: dockerfile, 'landfall.yml': twoEnvironments });
    const grabbing = `services:
  web:
    port: 9090
    replicas: 90
environments:
  production:
    branch: develop
  staging:
    branch: develop
`;
    await push(id, 'develop', { 'landfall.yml': grabbing });
    await bot.settle();
    const staged = (await intentsOf(id)).filter(({ ref }) => ref === 'refs/heads/develop');
    expect(staged.map(({ environment }) => environment.name)).toEqual(['staging']);
    expect(staged[0]!.config).toMatchObject({ web: { service: { port: 9090, replicas: 1 } } });
    await push(id, 'free', { 'landfall.yml': grabbing.replaceAll('develop', 'free') });
    await bot.settle();
    expect(await lastPush(id)).toMatchObject({ status: 'ignored', reasonCode: 'branch_not_deployed' });
  });

  it('takes the place of those that wait, and of their builds', async () => {
    const { id } = await repository({ Dockerfile: dockerfile });
    const waiting = await lastIntent(id);
    await push(id, 'main', { 'index.html': 'newer' });
    await bot.settle();
    const [older, newer] = await intentsOf(id);
    expect(older).toMatchObject({
      id: waiting.id,
      status: 'superseded',
      builds: [{ build: { status: 'superseded' } }],
    });
    expect(newer).toMatchObject({ status: 'active', builds: [{ build: { status: 'queued' } }] });
    const owed = await owedFor(`intent:${waiting.id}`);
    expect(owed.filter(({ status }) => status === 'pending').map(({ kind }) => kind)).toContain('updateCheckRun');
  });

  it('P10: back to an earlier commit deploys it again, with the build that it has', async () => {
    const { id, fullName } = await repository({ Dockerfile: dockerfile });
    const first = await lastIntent(id);
    const buildId = first.builds[0]!.buildId;
    await bot.database.db.build.update({ where: { id: buildId }, data: { status: 'succeeded', version: 7 } });
    await push(id, 'main', { 'index.html': 'oops' });
    await bot.settle();
    bot.enqueued.length = 0;
    await moveRef(fullName, 'PATCH', 'refs/heads/main', { sha: first.sha, force: true });
    expect(await bot.settle()).toEqual([]);
    const again = await lastIntent(id);
    expect(again).toMatchObject({ sha: first.sha, status: 'active', builds: [{ buildId }] });
    expect(again.id).not.toBe(first.id);
    expect(bot.enqueued).toContainEqual({ job: 'advanceBuild', payload: { buildId, version: 8 } });
  });

  it.each(['failed', 'cancelled', 'superseded'] as const)(
    'P10: a %s build of the commit is not taken for one',
    async (status) => {
      const { id, fullName } = await repository({ Dockerfile: dockerfile });
      const first = await lastIntent(id);
      const buildId = first.builds[0]!.buildId;
      await push(id, 'main', { 'index.html': 'oops' });
      await bot.settle();
      await bot.database.db.build.update({ where: { id: buildId }, data: { status } });
      await moveRef(fullName, 'PATCH', 'refs/heads/main', { sha: first.sha, force: true });
      await bot.settle();
      const again = await lastIntent(id);
      expect(again.builds).toMatchObject([{ build: { sha: first.sha, status: 'queued' } }]);
      expect(again.builds[0]!.buildId).not.toBe(buildId);
    },
  );

  it('may be the first that is heard of its repository and installation', async () => {
    const { url } = bot.sandbox.deliveries;
    await bot.sandbox.setWebhook({ url: null });
    const made = await bot.sandbox.createRepository({
      owner: 'newcomer',
      name: 'fresh',
      files: { Dockerfile: dockerfile },
    });
    await bot.sandbox.setWebhook({ url });
    const { sha } = await push(made.id, 'main', { 'index.html': 'hello' });
    expect(await bot.settle()).toEqual([]);
    expect(await lastIntent(made.id)).toMatchObject({ sha, status: 'active' });
    expect(await bot.database.db.repository.findUnique({ where: { id: made.id } })).toMatchObject({
      owner: 'newcomer',
      name: 'fresh',
      installationId: BigInt(made.installationId!),
    });
  });
});

describe('a push that is not deployed', () => {
  it.each([
    ['of a branch nobody deploys', 'branch_not_deployed', 'POST', 'refs/heads/idea'],
    ['of a tag', 'tag_push', 'POST', 'refs/tags/v1'],
  ] as const)('%s says why', async (_what, reasonCode, method, ref) => {
    const { id, fullName } = await repository({ Dockerfile: dockerfile });
    const { sha } = await lastIntent(id);
    await moveRef(fullName, method, ref, { sha });
    await bot.settle();
    expect(await intentsOf(id)).toHaveLength(1);
    expect(await lastPush(id)).toMatchObject({
      status: 'ignored',
      reasonCode,
      reason: expect.stringMatching(/\.$/) as string,
    });
  });

  it('that deletes the branch leaves what runs alone', async () => {
    const { id, fullName } = await repository({ Dockerfile: dockerfile, 'landfall.yml': twoEnvironments });
    await push(id, 'develop', { 'index.html': 'next' });
    await bot.settle();
    const before = await intentsOf(id);
    await moveRef(fullName, 'DELETE', 'refs/heads/develop');
    await bot.settle();
    expect(await lastPush(id)).toMatchObject({ status: 'ignored', reasonCode: 'ref_deleted' });
    expect(await intentsOf(id)).toEqual(before);
  });

  it('for its broken file fails a check run at the lines, and what runs is left alone', async () => {
    const { id } = await repository({ Dockerfile: dockerfile, 'landfall.yml': twoEnvironments });
    const before = await intentsOf(id);
    const { sha } = await push(id, 'main', { 'landfall.yml': twoEnvironments.replace('8080', 'eighty') });
    await bot.settle();
    expect(await intentsOf(id)).toEqual(before);
    expect(await lastPush(id)).toMatchObject({ status: 'ignored', reasonCode: 'config_invalid' });
    const [owed] = await owedFor(`config:${id}:${sha}`);
    expect(owed).toMatchObject({
      kind: 'createCheckRun',
      payload: {
        body: {
          head_sha: sha,
          status: 'completed',
          conclusion: 'failure',
          output: { annotations: [{ path: 'landfall.yml', start_line: 3 }] },
        },
      },
    });
    expect(bot.enqueued.map(({ job }) => job)).toEqual(['flushOutbox']);
    const project = await bot.database.db.project.findFirstOrThrow({ where: { repositoryId: id } });
    expect(project.config).toMatchObject({ services: { web: { port: 8080 } } });
    expect(project.configIssues).toMatchObject([{ line: 3 }]);
  });

  it('says whose file is broken when it is the one of the default branch, and annotates nothing in its own', async () => {
    const { id } = await repository({ Dockerfile: dockerfile, 'landfall.yml': twoEnvironments });
    const main = await push(id, 'main', { 'landfall.yml': twoEnvironments.replace('8080', 'eighty') });
    const { sha } = await push(id, 'develop', { 'landfall.yml': twoEnvironments });
    await bot.settle();
    const [owed] = await owedFor(`config:${id}:${sha}`);
    const { output } = (owed!.payload as { body: { output: { title: string; annotations: unknown[] } } }).body;
    expect(output.title).toBe(`landfall.yml on main (${main.sha.slice(0, 7)}) cannot be understood: 1 issue`);
    expect(output.annotations).toEqual([]);
  });

  it('that nobody deploys still says which environments there are', async () => {
    const rules = (...names: string[]) =>
      `environments:\n${names.map((name) => `  ${name}: { branch: ${name} }\n`).join('')}`;
    const { id } = await repository({ Dockerfile: dockerfile, 'landfall.yml': rules('live', 'beta') });
    await push(id, 'main', { 'landfall.yml': rules('live') });
    await bot.settle();
    expect(await lastPush(id)).toMatchObject({ status: 'ignored', reasonCode: 'branch_not_deployed' });
    const project = await bot.database.db.project.findFirstOrThrow({ where: { repositoryId: id } });
    expect(Object.keys((project.config as { environments: object }).environments)).toEqual(['live']);
  });

  it('for want of a Dockerfile fails a check run that says what to add', async () => {
    const { id } = await repository({ 'README.md': '# shop' });
    const { sha } = await push(id, 'main', { 'README.md': '# Shop' });
    await bot.settle();
    await expectRefused(
      { id, sha },
      {
        title: 'There is neither a landfall.yml nor a Dockerfile',
        summary: expect.stringContaining('Add a Dockerfile') as string,
      },
    );
    expect(await lastPush(id)).toMatchObject({
      status: 'ignored',
      reasonCode: 'nothing_to_deploy',
      reason: expect.stringMatching(/^There is neither .*Add a Dockerfile .*\.$/) as string,
    });
    expect(await intentsOf(id)).toEqual([]);
  });

  it('for a Dockerfile that is too large to look for its port fails a check run that says what to do', async () => {
    const { id } = await repository({ Dockerfile: dockerfile });
    const large = dockerfile + '#'.repeat(300_000);
    const { sha } = await push(id, 'main', { Dockerfile: large });
    expect(await bot.settle()).toEqual([]);
    await expectRefused(
      { id, sha },
      {
        title: 'Dockerfile cannot be understood: 1 issue',
        summary: expect.stringContaining('name the port in landfall.yml') as string,
        annotations: [{ path: 'Dockerfile' }],
      },
    );
    expect(await lastPush(id)).toMatchObject({ status: 'ignored', reasonCode: 'dockerfile_invalid' });
    await push(id, 'main', { 'landfall.yml': 'services: { web: { port: 3000 } }\n' });
    expect(await bot.settle()).toEqual([]);
    expect(await lastIntent(id)).toMatchObject({ status: 'active', config: { web: { service: { port: 3000 } } } });
  });

  it('of a suspended installation is ignored, once GitHub has had the time to know better', async () => {
    const made = await bot.sandbox.createRepository({
      owner: 'paused',
      name: 'shop',
      files: { Dockerfile: dockerfile },
    });
    await bot.settle();
    const installationId = made.installationId!;
    await bot.sandbox.suspend({ installationId });
    await bot.settle();
    expect(await bot.database.db.installation.findUnique({ where: { id: installationId } })).toMatchObject({
      suspendedAt: expect.any(Date) as Date,
    });
    const known = await bot.database.db.delivery.findFirstOrThrow({ where: { repositoryId: made.id, event: 'push' } });
    const payload = JSON.parse(Buffer.from(known.payload).toString()) as object;
    await bot.post('push', { ...payload, before: (await lastIntent(made.id)).sha, after: 'e'.repeat(40) });
    expect(await bot.settle()).toMatchObject([{ code: 'github_behind' }]);
    bot.clock.aheadMs += 60_000;
    expect(await bot.settle()).toEqual([]);
    bot.clock.aheadMs = 0;
    expect(await lastPush(made.id)).toMatchObject({ status: 'ignored', reasonCode: 'installation_suspended' });
  });
});

describe('deliveries', () => {
  it('P40: that come twice are worked on once', async () => {
    const { id } = await repository({ Dockerfile: dockerfile });
    bot.sandbox.faults.set({ kind: 'duplicate', match: 'push' });
    await push(id, 'main', { 'index.html': 'twice' });
    expect(await bot.settle()).toEqual([]);
    expect(await pushesOf(id)).toHaveLength(2);
    expect(await intentsOf(id)).toHaveLength(2);
  });

  it('P40: whose work was cut off after its commit are not worked on again', async () => {
    const { id } = await repository({ Dockerfile: dockerfile });
    const { guid } = await lastPush(id);
    await bot.database.db.delivery.update({ where: { guid }, data: { status: 'received' } });
    const before = await intentsOf(id);
    await processDelivery(bot.deps, guid);
    expect(await intentsOf(id)).toEqual(before);
    expect(await bot.database.db.head.count({ where: { repositoryId: id } })).toBe(1);
  });

  it('that overtake each other: the older push is not deployed over the newer', async () => {
    const { id } = await repository({ Dockerfile: dockerfile });
    bot.sandbox.faults.set({ kind: 'lose', match: 'push', times: 1 });
    await push(id, 'main', { 'index.html': 'one' });
    await bot.settle();
    const newer = await push(id, 'main', { 'index.html': 'two' });
    await bot.settle();
    const lost = (await bot.sandbox.listDeliveries({})).filter(({ event }) => event === 'push')[1];
    await bot.sandbox.redeliver({ deliveryId: lost!.id });
    expect(await bot.settle()).toEqual([]);
    const intents = await intentsOf(id);
    expect(intents.map(({ status }) => status)).toEqual(['superseded', 'active']);
    expect(intents.at(-1)).toMatchObject({ sha: newer.sha });
    expect(await lastPush(id)).toMatchObject({ status: 'ignored', reasonCode: 'out_of_order' });
  });

  it('worked on at the same time: the newest push wins, whoever is first', async () => {
    const { id } = await repository({ Dockerfile: dockerfile });
    await push(id, 'main', { 'index.html': 'one' });
    await push(id, 'main', { 'index.html': 'two' });
    const newest = await push(id, 'main', { 'index.html': 'three' });
    await bot.sandbox.deliveries.idle();
    const guids = (await pushesOf(id)).filter(({ status }) => status === 'received').map(({ guid }) => guid);
    expect(guids).toHaveLength(3);
    await Promise.all(guids.reverse().map((guid) => processDelivery(bot.deps, guid)));
    const active = (await intentsOf(id)).filter(({ status }) => status === 'active');
    expect(active.map(({ sha }) => sha)).toEqual([newest.sha]);
  });

  it('wait for GitHub as long as its limit says, and are worked on then', async () => {
    const { id } = await repository({ Dockerfile: dockerfile });
    const limit = {
      kind: 'primary_limit',
      status: 403,
      retryAfter: null,
      reset: 30,
      match: 'GET */contents/*',
    } as const;
    bot.sandbox.faults.set({ ...limit, times: 1 });
    const { sha } = await push(id, 'main', { 'index.html': 'later' });
    expect(await bot.settle()).toMatchObject([{ code: 'github_rate_limited', until: expect.any(Date) as Date }]);
    expect(await lastPush(id)).toMatchObject({ status: 'received', reasonCode: 'github_rate_limited' });
    expect(await bot.settle()).toEqual([]);
    expect(await lastIntent(id)).toMatchObject({ sha });
  });
});

describe('deliveries whose work ends the server', () => {
  it('fail, and say so on the commit', async () => {
    const { id } = await repository({ Dockerfile: dockerfile });
    bot.sandbox.faults.set({ kind: 'primary_limit', status: 403, retryAfter: null, reset: 30, match: '*', times: 1 });
    const { sha } = await push(id, 'main', { 'index.html': 'deadly' });
    expect(await bot.settle()).toHaveLength(1);
    const { guid } = await lastPush(id);
    for (let start = 0; start < 3; start++) await startDelivery(bot.database.db, guid);
    bot.enqueued.length = 0;
    expect(await bot.settle()).toEqual([]);
    expect(await lastPush(id)).toMatchObject({ status: 'failed', reasonCode: 'server_ended' });
    const [check] = await bot.database.db.checkRun.findMany({ where: { repositoryId: id, sha } });
    const [write] = await bot.database.db.outboxWrite.findMany({ where: { subject: check!.externalId } });
    expect(write).toMatchObject({ status: 'pending', kind: 'createCheckRun' });
    expect(write?.payload).toMatchObject({
      body: {
        head_sha: sha,
        conclusion: 'failure',
        output: {
          title: 'The server ended while it worked on this, three times',
          summary: expect.stringContaining('Read in the log of the server how it ended') as string,
        },
      },
    });
    expect(bot.enqueued).toMatchObject([{ job: 'flushOutbox' }]);
  });
});

describe('deliveries that never arrived', () => {
  it('P40: are fetched from GitHub and worked on', async () => {
    const { id } = await repository({ Dockerfile: dockerfile });
    bot.sandbox.faults.set({ kind: 'lose', match: 'push' });
    const { sha } = await push(id, 'main', { 'index.html': 'lost' });
    expect(await bot.settle()).toEqual([]);
    expect((await lastIntent(id)).sha).not.toBe(sha);
    await bot.fetchMissed();
    expect((await lastIntent(id)).sha).not.toBe(sha);
    bot.clock.aheadMs = 60_000;
    await bot.fetchMissed();
    expect(bot.enqueued).toContainEqual({ job: 'processDelivery', payload: { guid: (await lastPush(id)).guid } });
    expect(await bot.settle()).toEqual([]);
    expect(await lastIntent(id)).toMatchObject({ sha, status: 'active' });
    const known = await bot.database.db.delivery.count();
    await bot.fetchMissed();
    expect(await bot.database.db.delivery.count()).toBe(known);
    bot.clock.aheadMs = 0;
  });

  it('P40: sent days ago are tried again like others', async () => {
    const { id } = await repository({ Dockerfile: dockerfile });
    bot.sandbox.faults.set({ kind: 'lose', match: 'push' });
    const { sha } = await push(id, 'main', { 'index.html': 'lost' });
    bot.clock.aheadMs = 60 * 3_600_000;
    await bot.fetchMissed();
    bot.sandbox.faults.set({ kind: 'bad_gateway_after_commit', match: 'GET */contents/*', times: 1 });
    expect(await bot.settle()).toMatchObject([{ code: 'github_unavailable' }]);
    expect(await lastPush(id)).toMatchObject({ status: 'received', reasonCode: 'github_unavailable' });
    expect(await bot.settle()).toEqual([]);
    expect(await lastIntent(id)).toMatchObject({ sha, status: 'active' });
    bot.clock.aheadMs = 0;
  });
});
