import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WaitingError } from '../../platform/errors/errors.ts';
import { useBot } from '../../test/bot/harness.ts';
import { processDelivery } from '../deliveries/process-delivery.ts';

const bot = useBot();
let count = 0;

/** Two accounts with the app, of which one has two repositories, the second of them public. */
interface Place {
  logins: [string, string];
  /** Every installation that there ever was, by account. */
  installations: { login: string; id: number }[];
  repositoryIds: number[];
}

async function makePlace(): Promise<Place> {
  await bot.database.db.delivery.deleteMany();
  bot.clock.aheadMs = 0;
  const logins: Place['logins'] = [`left-${++count}`, `right-${count}`];
  const repositoryIds: number[] = [];
  for (const [name, isPrivate] of [
    ['hidden', true],
    ['open', false],
  ] as const)
    repositoryIds.push((await bot.sandbox.createRepository({ owner: logins[0], name, private: isPrivate })).id);
  const installations: Place['installations'] = [];
  for (const login of logins) installations.push({ login, id: (await bot.sandbox.install({ login })).id });
  return { logins, installations, repositoryIds };
}

type Step =
  | { kind: 'push' | 'rename' | 'transfer' | 'delete'; repository: number }
  | { kind: 'select'; of: number; repositories: number[] }
  | { kind: 'suspend' | 'unsuspend' | 'uninstall' | 'install'; of: number }
  /** The work on one of the deliveries that arrived. */
  | { kind: 'work'; which: number }
  /** The work on one that was done: its worker died before it could say so. */
  | { kind: 'again'; which: number };

const repository = fc.nat({ max: 1 });
const of = fc.nat({ max: 1 });
const which = fc.nat({ max: 1_000 });
const working: fc.WeightedArbitrary<Step>[] = [
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('work'), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('again'), which }) },
];

/** What its people do; what cannot be done just then is left out. */
async function act(place: Place, step: Step): Promise<void> {
  switch (step.kind) {
    case 'push':
    case 'rename':
    case 'transfer':
    case 'delete':
      return actOnRepository(place, step);
    case 'select': {
      const installation = live(place, step.of);
      const ids = step.repositories.map((index) => place.repositoryIds[index]!).filter((id) => existing(id) !== null);
      if (installation !== undefined)
        await bot.sandbox.selectRepositories({ installationId: installation.id, repositoryIds: ids });
      return;
    }
    case 'install': {
      const login = place.logins[step.of]!;
      const { id } = await bot.sandbox.install({ login });
      if (!place.installations.some((known) => known.id === id)) place.installations.push({ login, id });
      return;
    }
    case 'suspend':
    case 'unsuspend':
    case 'uninstall': {
      const installation = live(place, step.of);
      if (installation !== undefined) await bot.sandbox[step.kind]({ installationId: installation.id });
      return;
    }
    case 'work':
      return work(step.which);
    case 'again':
      return workAgain(step.which);
  }
}

function live(place: Place, index: number) {
  const login = place.logins[index];
  return place.installations.find((each) => each.login === login && installationAtGithub(each.id) !== null);
}

const installationAtGithub = (id: number) => bot.sandbox.state.installations.find(id) ?? null;
const existing = (id: number) => bot.sandbox.state.repositories.find(id) ?? null;

async function actOnRepository(place: Place, step: Extract<Step, { repository: number }>): Promise<void> {
  const repositoryId = place.repositoryIds[step.repository]!;
  const row = existing(repositoryId);
  if (row === null) return;
  const owner = bot.sandbox.state.users.get(row.ownerId).login;
  switch (step.kind) {
    case 'push': {
      const files = { n: String(++count) };
      await bot.sandbox.commit({ repositoryId, branch: 'main', author: owner, message: 'on', files });
      return;
    }
    case 'rename':
      await bot.sandbox.renameRepository({ repositoryId, name: `called-${++count}` });
      return;
    case 'transfer': {
      const [left, right] = place.logins;
      await bot.sandbox.transferRepository({ repositoryId, owner: owner === left ? right : left });
      return;
    }
    case 'delete':
      await bot.sandbox.deleteRepository({ repositoryId });
  }
}

async function arrived(status: 'received' | 'settled'): Promise<string[]> {
  await bot.sandbox.deliveries.idle();
  const rows = await bot.database.db.delivery.findMany({
    where: { status: status === 'received' ? status : { not: 'received' }, payload: { not: Buffer.alloc(0) } },
    select: { guid: true },
    orderBy: { guid: 'asc' },
  });
  return rows.map(({ guid }) => guid);
}

async function work(index: number): Promise<void> {
  const waiting = await arrived('received');
  if (waiting.length > 0) await workOn(waiting[index % waiting.length]!);
}

async function workAgain(index: number): Promise<void> {
  const done = await arrived('settled');
  const guid = done[index % Math.max(1, done.length)];
  if (guid === undefined) return;
  await bot.database.db.delivery.update({ where: { guid }, data: { status: 'received' } });
  await workOn(guid);
}

async function workOn(guid: string): Promise<void> {
  try {
    await processDelivery(bot.deps, guid);
  } catch (error) {
    if (!(error instanceof WaitingError)) throw error;
  }
}

/** Works on all that is left, several at a time, when GitHub is no longer thought to be behind. */
async function finish(): Promise<void> {
  await bot.sandbox.deliveries.idle();
  bot.clock.aheadMs = 60_000;
  await Promise.all((await arrived('received')).map(workOn));
  for (const guid of await arrived('received')) await processDelivery(bot.deps, guid);
  expect(await arrived('received')).toEqual([]);
}

async function knownRepositories(place: Place) {
  const rows = await bot.database.db.repository.findMany({ where: { id: { in: place.repositoryIds } } });
  return Object.fromEntries(
    rows.map(({ id, removedAt, installationId, owner, name }) => [
      Number(id),
      removedAt === null ? { installationId: Number(installationId), fullName: `${owner}/${name}` } : null,
    ]),
  );
}

async function repositoriesAtGithub(place: Place) {
  const all = await bot.sandbox.listRepositories({});
  const shown = (id: number) => {
    const found = all.find((each) => each.id === id);
    return found?.installationId == null ? null : { installationId: found.installationId, fullName: found.fullName };
  };
  return Object.fromEntries(place.repositoryIds.map((id) => [id, shown(id)]));
}

async function knownInstallations(place: Place) {
  const ids = place.installations.map(({ id }) => id);
  const rows = await bot.database.db.installation.findMany({ where: { id: { in: ids } } });
  return Object.fromEntries(
    rows.map(({ id, deletedAt, suspendedAt }) => [
      Number(id),
      deletedAt === null ? { suspended: suspendedAt !== null } : null,
    ]),
  );
}

function installationsAtGithub(place: Place) {
  return Object.fromEntries(
    place.installations.map(({ id }) => {
      const found = installationAtGithub(id);
      return [id, found === null ? null : { suspended: found.suspendedAt !== null }];
    }),
  );
}

/** Does all this, works on what is left, and compares what is known with what GitHub has. */
async function agreesWithGithub(steps: readonly Step[]): Promise<void> {
  const place = await makePlace();
  for (const step of steps) await act(place, step);
  await finish();
  expect(await knownInstallations(place)).toEqual(installationsAtGithub(place));
  expect(await knownRepositories(place)).toEqual(await repositoriesAtGithub(place));
}

const onRepositories = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('push', 'rename', 'transfer'), repository }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('select'), of, repositories: fc.subarray([0, 1]) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete'), repository }) },
  ...working,
) as fc.Arbitrary<Step>;

const onInstallations = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('suspend', 'unsuspend'), of }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('uninstall', 'install'), of }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('push'), repository }) },
  ...working,
) as fc.Arbitrary<Step>;

describe('whatever is done at GitHub, and in whatever order and however often its deliveries are worked on', () => {
  it('P47: repositories end as they are at GitHub', { timeout: 120_000 }, async () => {
    await fc.assert(fc.asyncProperty(fc.array(onRepositories, { maxLength: 14 }), agreesWithGithub), { numRuns: 12 });
  });

  it('installations end as they are at GitHub', { timeout: 120_000 }, async () => {
    await fc.assert(fc.asyncProperty(fc.array(onInstallations, { maxLength: 14 }), agreesWithGithub), { numRuns: 12 });
  });
});
