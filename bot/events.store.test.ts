import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { writePayloads } from '../core/report/writes.ts';
import { fetchEntry } from '../platform/github/contents.ts';
import { sendCheckRunCreate, sendCheckRunUpdate } from '../platform/github/check-runs.ts';
import { sendDeploymentCreate } from '../platform/github/deployments.ts';
import { transaction } from '../prisma/client.ts';
import { reportIntent } from '../prisma/store/report.ts';
import { useBot } from '../test/bot/harness.ts';
import Value from 'typebox/value';

const dockerfile = 'FROM scratch\nEXPOSE 3000\n';

const bot = useBot();
let count = 0;

async function repository(owner: string, files: Record<string, string> = { Dockerfile: dockerfile }) {
  const made = await bot.sandbox.createRepository({ owner, name: `shop-${++count}`, files });
  expect(await bot.settle()).toEqual([]);
  bot.enqueued.length = 0;
  return { ...made, installationId: made.installationId! };
}

function commit(repositoryId: number, files: Record<string, string> = { a: 'b' }) {
  return bot.sandbox.commit({ repositoryId, branch: 'main', author: 'ada', message: 'change', files });
}

function row(id: number) {
  return bot.database.db.repository.findUniqueOrThrow({ where: { id } });
}

function intentsOf(repositoryId: number) {
  return bot.database.db.intent.findMany({
    where: { environment: { project: { repositoryId } } },
    include: { builds: { include: { build: true } } },
    orderBy: { createdAt: 'asc' },
  });
}

async function lastOf(event: string, action: string | null = null) {
  return bot.database.db.delivery.findFirstOrThrow({ where: { event, action }, orderBy: { receivedAt: 'desc' } });
}

function owedCheckRun(subject: string) {
  return bot.database.db.outboxWrite
    .findFirstOrThrow({ where: { subject, kind: 'createCheckRun' } })
    .then(({ payload }) => Value.Parse(writePayloads.createCheckRun, payload));
}

describe('repository', () => {
  it('P47: renamed and transferred, it is the same one', async () => {
    const { id } = await repository('acme');
    await bot.sandbox.install({ login: 'globex' });
    await bot.sandbox.renameRepository({ repositoryId: id, name: 'boutique' });
    await bot.settle();
    expect(await row(id)).toMatchObject({ owner: 'acme', name: 'boutique' });
    await bot.sandbox.transferRepository({ repositoryId: id, owner: 'globex' });
    await bot.settle();
    expect(await row(id)).toMatchObject({ owner: 'globex', name: 'boutique', removedAt: null });
    const { sha } = await commit(id);
    expect(await bot.settle()).toEqual([]);
    const intents = await intentsOf(id);
    expect(intents).toHaveLength(2);
    expect(intents.at(-1)).toMatchObject({ sha, status: 'active' });
  });

  it('deleted, it ends the builds of it, by waking whoever drives them', async () => {
    const { id } = await repository('acme');
    const [intent] = await intentsOf(id);
    await bot.sandbox.deleteRepository({ repositoryId: id });
    await bot.settle();
    expect((await row(id)).removedAt).toBeInstanceOf(Date);
    expect(bot.enqueued).toEqual([
      { job: 'advanceBuild', payload: { buildId: intent!.builds[0]!.buildId, version: 0 } },
    ]);
  });
});

describe('installation', () => {
  it('removed, it takes its repositories along, and a late push of one is ignored', async () => {
    const { id, installationId } = await repository('leaver');
    const push = await lastOf('push');
    await bot.sandbox.uninstall({ installationId });
    await bot.settle();
    expect(await bot.database.db.installation.findUnique({ where: { id: installationId } })).toMatchObject({
      deletedAt: expect.any(Date) as Date,
    });
    expect((await row(id)).removedAt).toBeInstanceOf(Date);
    const payload = JSON.parse(Buffer.from(push.payload).toString()) as object;
    await bot.post('push', { ...payload, after: 'e'.repeat(40) });
    expect(await bot.settle()).toEqual([]);
    expect(await lastOf('push')).toMatchObject({ status: 'ignored', reasonCode: 'installation_removed' });
  });

  it('suspended and unsuspended, it is known as such', async () => {
    const { installationId } = await repository('pauser');
    const suspendedAt = async () =>
      (await bot.database.db.installation.findUniqueOrThrow({ where: { id: installationId } })).suspendedAt;
    await bot.sandbox.suspend({ installationId });
    await bot.settle();
    expect(await suspendedAt()).toBeInstanceOf(Date);
    await bot.sandbox.unsuspend({ installationId });
    await bot.settle();
    expect(await suspendedAt()).toBeNull();
  });

  it('narrowed and widened again: a push tells when its repository is back', async () => {
    const kept = await repository('chooser');
    const dropped = await repository('chooser');
    const { installationId } = kept;
    await bot.sandbox.selectRepositories({ installationId, repositoryIds: [kept.id] });
    await bot.settle();
    expect((await row(dropped.id)).removedAt).toBeInstanceOf(Date);
    bot.sandbox.faults.set({ kind: 'lose', match: 'installation_repositories*', times: 1 });
    await bot.sandbox.selectRepositories({ installationId, repositoryIds: [kept.id, dropped.id] });
    await commit(dropped.id);
    await bot.settle();
    expect((await row(dropped.id)).removedAt).toBeNull();
    expect(await intentsOf(dropped.id)).toHaveLength(2);
  });
});

describe('deliveries that come in another order than things happened', () => {
  it('suspended and unsuspended: it is not suspended', async () => {
    const { installationId } = await repository('hasty');
    bot.sandbox.faults.set({ kind: 'reorder', match: 'installation.suspend', times: 1 });
    await bot.sandbox.suspend({ installationId });
    await bot.sandbox.unsuspend({ installationId });
    expect(await bot.settle()).toMatchObject([{ code: 'github_behind', until: expect.any(Date) as Date }]);
    bot.clock.aheadMs += 60_000;
    expect(await bot.settle()).toEqual([]);
    bot.clock.aheadMs = 0;
    const known = await bot.database.db.installation.findUniqueOrThrow({ where: { id: installationId } });
    expect(known.suspendedAt).toBeNull();
    expect((await lastOf('installation', 'suspend')).receivedAt.getTime()).toBeGreaterThanOrEqual(
      (await lastOf('installation', 'unsuspend')).receivedAt.getTime(),
    );
  });

  it('P47: a push from before a transfer does not bring the repository back to where it was', async () => {
    const { id } = await repository('seller');
    const { id: buyer } = await bot.sandbox.install({ login: 'buyer' });
    bot.sandbox.faults.set({ kind: 'lose', match: 'push', times: 1 });
    const { sha } = await commit(id);
    const [late] = (await bot.sandbox.listDeliveries({})).filter(({ event }) => event === 'push');
    await bot.sandbox.transferRepository({ repositoryId: id, owner: 'buyer' });
    await bot.settle();
    await bot.sandbox.redeliver({ deliveryId: late!.id });
    expect(await bot.settle()).toMatchObject([{ code: 'github_behind' }]);
    bot.clock.aheadMs += 60_000;
    expect(await bot.settle()).toEqual([]);
    bot.clock.aheadMs = 0;
    expect(await row(id)).toMatchObject({ installationId: BigInt(buyer), owner: 'buyer', removedAt: null });
    // It is still the newest of its branch, and is deployed from where it is now.
    expect((await intentsOf(id)).at(-1)).toMatchObject({ sha, status: 'active' });
  });

  it('an installation that lost the news of its return hears of it with the next push', async () => {
    const { id, installationId } = await repository('sleeper');
    await bot.sandbox.suspend({ installationId });
    await bot.settle();
    bot.sandbox.faults.set({ kind: 'lose', match: 'installation.unsuspend', times: 1 });
    await bot.sandbox.unsuspend({ installationId });
    const { sha } = await commit(id);
    expect(await bot.settle()).toEqual([]);
    expect((await intentsOf(id)).at(-1)).toMatchObject({ sha, status: 'active' });
  });
});

describe('asked for again', () => {
  it('by its check run, the commit gets a new intent; its failed build is built anew', async () => {
    const { id, installationId } = await repository('acme');
    const [first] = await intentsOf(id);
    await bot.database.db.build.updateMany({ where: { sha: first!.sha }, data: { status: 'failed' } });
    await bot.database.db.intent.update({ where: { id: first!.id }, data: { status: 'failed' } });
    const client = await bot.deps.github.forInstallation(installationId);
    const checkRunId = await sendCheckRunCreate(client, await owedCheckRun(`intent:${first!.id}`), 1);
    await bot.settle();
    await bot.sandbox.rerequestCheck({ checkRunId, by: 'ada' });
    expect(await bot.settle()).toEqual([]);
    const again = (await intentsOf(id)).at(-1)!;
    expect(again).toMatchObject({ sha: first!.sha, trigger: 'rerequested', actor: 'ada', status: 'active' });
    expect(again.builds[0]!.build).toMatchObject({ status: 'queued' });
    expect(again.builds[0]!.buildId).not.toBe(first!.builds[0]!.buildId);
  });

  it.each([
    ['as GitHub leaves it', 'completed', 0],
    ['that an older GitHub set back', 'queued', 1],
  ])('a check run %s is not left without an end', async (_what, status, count) => {
    const { id } = await repository('acme');
    const [first] = await intentsOf(id);
    const ended = { status: 'failed', reasonCode: 'step_failed', reason: 'It exited with 1.' } as const;
    await bot.database.db.intent.update({ where: { id: first!.id }, data: { ...ended, finishedAt: new Date() } });
    const context = { consoleUrl: () => 'http://console', now: new Date() };
    await transaction(bot.database, (tx) => reportIntent(tx, first!.id, context));
    const push = JSON.parse(Buffer.from((await lastOf('push')).payload).toString()) as Record<string, unknown>;
    const { repository: about, installation, sender } = push;
    const check_suite = { head_branch: 'main' };
    const check_run = { external_id: `intent:${first!.id}`, head_sha: first!.sha, status, check_suite };
    await bot.post('check_run', { action: 'rerequested', check_run, repository: about, installation, sender });
    expect(await bot.settle()).toEqual([]);
    expect(await intentsOf(id)).toHaveLength(2);
    const told = await bot.database.db.outboxWrite.findMany({
      where: { key: { startsWith: `intent:${first!.id}:check:again:` } },
    });
    expect(told).toHaveLength(count);
    for (const { payload } of told)
      expect(payload).toMatchObject({ body: { status: 'completed', conclusion: 'failure' } });
  });

  it('by the whole suite, the commit gets a new intent', async () => {
    const { id } = await repository('acme');
    const [first] = await intentsOf(id);
    const push = await lastOf('push');
    const {
      repository: about,
      installation,
      sender,
    } = JSON.parse(Buffer.from(push.payload).toString()) as Record<string, unknown>;
    const check_suite = { head_sha: first!.sha, head_branch: 'main' };
    await bot.post('check_suite', { action: 'rerequested', check_suite, repository: about, installation, sender });
    expect(await bot.settle()).toEqual([]);
    expect((await intentsOf(id)).map(({ trigger }) => trigger)).toEqual(['push', 'rerequested']);
  });

  it('P46: an old commit of the default branch does not bring its old rules back', async () => {
    const granting = 'services: { web: { port: 80 } }\nenvironments: { production: {}, staging: {} }\n';
    const { id, installationId } = await repository('acme', { Dockerfile: dockerfile, 'landfall.yml': granting });
    const old = await bot.database.db.intent.findFirstOrThrow({
      where: { environment: { name: 'staging', project: { repositoryId: id } } },
    });
    const revoked = granting.replace(', staging: {}', '');
    await commit(id, { 'landfall.yml': revoked });
    await bot.settle();
    const client = await bot.deps.github.forInstallation(installationId);
    const checkRunId = await sendCheckRunCreate(client, await owedCheckRun(`intent:${old.id}`), 1);
    await bot.sandbox.rerequestCheck({ checkRunId, by: 'ada' });
    expect(await bot.settle()).toEqual([]);
    expect(await lastOf('check_run', 'rerequested')).toMatchObject({
      status: 'ignored',
      reasonCode: 'branch_not_deployed',
    });
  });

  it('a broken configuration that is still broken is told of again', async () => {
    const { id, installationId } = await repository('acme', {
      Dockerfile: dockerfile,
      'landfall.yml': 'services: [\n',
    });
    const { subject } = await bot.database.db.outboxWrite.findFirstOrThrow({
      where: { subject: { startsWith: `config:${id}:` } },
    });
    const client = await bot.deps.github.forInstallation(installationId);
    const create = await owedCheckRun(subject);
    const checkRunId = await sendCheckRunCreate(client, create, 1);
    await bot.sandbox.rerequestCheck({ checkRunId, by: 'ada' });
    expect(await bot.settle()).toEqual([]);
    const again = await bot.database.db.outboxWrite.findFirstOrThrow({
      where: { subject: create.body.external_id, kind: 'updateCheckRun' },
    });
    const update = Value.Parse(writePayloads.updateCheckRun, again.payload);
    expect(update.body).toMatchObject({ status: 'completed', conclusion: 'failure' });
    await sendCheckRunUpdate(client, update, { checkRunId, attempt: 1 });
  });

  it('a check run of somebody else is left alone', async () => {
    const { id } = await repository('acme');
    const push = await lastOf('push');
    const { repository: about, installation } = JSON.parse(Buffer.from(push.payload).toString()) as Record<
      string,
      unknown
    >;
    const check_run = { external_id: 'theirs', head_sha: 'a'.repeat(40), check_suite: { head_branch: 'main' } };
    await bot.post('check_run', { action: 'rerequested', check_run, repository: about, installation });
    expect(await bot.settle()).toEqual([]);
    expect(await lastOf('check_run', 'rerequested')).toMatchObject({
      status: 'ignored',
      reasonCode: 'check_run_unknown',
    });
    expect(await intentsOf(id)).toHaveLength(1);
  });
});

describe('writes to GitHub', () => {
  it('P38: whose answer was lost are found again, not repeated', async () => {
    const { id, installationId } = await repository('acme');
    const [intent] = await intentsOf(id);
    const client = await bot.deps.github.forInstallation(installationId);
    const owed = await bot.database.db.outboxWrite.findMany({ where: { subject: `intent:${intent!.id}` } });
    const payloadOf = (kind: string) => owed.find((write) => write.kind === kind)!.payload;
    const checkRun = Value.Parse(writePayloads.createCheckRun, payloadOf('createCheckRun'));
    const deployment = Value.Parse(writePayloads.createDeployment, payloadOf('createDeployment'));
    for (const match of ['checks/create', 'repos/create-deployment']) {
      bot.sandbox.faults.set({ kind: 'bad_gateway_after_commit', match, times: 1 });
    }
    await expect(sendCheckRunCreate(client, checkRun, 1)).rejects.toMatchObject({ code: 'github_unavailable' });
    await expect(sendDeploymentCreate(client, deployment, 1)).rejects.toMatchObject({ code: 'github_unavailable' });
    const checkRunId = await sendCheckRunCreate(client, checkRun, 2);
    const deploymentId = await sendDeploymentCreate(client, deployment, 2);
    const { checkRuns, deployments } = await bot.sandbox.inspectRepository({ repositoryId: id });
    expect(checkRuns.map((run) => run.id)).toEqual([checkRunId]);
    expect(deployments.map((each) => each.id)).toEqual([deploymentId]);
  });
});

it('reads files at a commit, whatever their path', async () => {
  const files = { Dockerfile: dockerfile, 'a b/ü#?%.txt': 'here', 'dir/x': 'y' };
  const { id: repositoryId, installationId } = await repository('acme', files);
  const client = await bot.deps.github.forInstallation(installationId);
  const read = async (path: string, ref = 'main') => {
    const entry = await fetchEntry(client, { repositoryId, path, ref });
    return entry.kind === 'file' ? entry.bytes.toString() : entry.kind;
  };
  expect(await read('a b/ü#?%.txt')).toBe('here');
  expect(await read('dir')).toBe('directory');
  expect(await read('none')).toBe('nothing');
  expect(await read('Dockerfile', 'nobranch')).toBe('nothing');
});

describe('the examples that GitHub documents', () => {
  const examples = createRequire(import.meta.url)('@octokit/webhooks-examples') as {
    name: string;
    examples: object[];
  }[];

  it('P43: all pass the intake and the handlers without an error', async () => {
    const statuses: number[] = [];
    for (const { name, examples: payloads } of examples) {
      for (const payload of payloads) statuses.push(await bot.post(name, payload));
    }
    expect(statuses.length).toBeGreaterThan(300);
    expect(new Set(statuses)).toEqual(new Set([202]));
    // GitHub knows nothing of them, and is not believed before it has had the time to.
    bot.clock.aheadMs = 60_000;
    expect(await bot.settle()).toEqual([]);
    expect(await bot.database.db.delivery.count({ where: { status: { in: ['received', 'failed'] } } })).toBe(0);
  });
});
