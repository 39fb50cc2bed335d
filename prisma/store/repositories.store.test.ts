import { beforeEach, describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/store/database.ts';
import {
  findInstallation,
  insertInstallation,
  removeInstallation,
  replaceInstallation,
  type InstallationFacts,
} from './installations.ts';
import {
  findRepositories,
  findRepository,
  insertRepositories,
  removeRepositories,
  replaceRepository,
  type RepositoryFacts,
} from './repositories.ts';

const database = useDatabase();
let installation: InstallationFacts;
let facts: RepositoryFacts;
let count = 9_007_199_254_000_000;
const at = (second: number) => new Date(Date.UTC(2030, 0, 1, 0, 0, second));

beforeEach(async () => {
  const account = { id: ++count, login: 'acme', type: 'Organization' };
  installation = { id: ++count, account, permissions: { contents: 'read' }, suspendedAt: null };
  facts = {
    id: ++count,
    installationId: installation.id,
    owner: 'acme',
    name: 'shop',
    private: true,
    defaultBranch: null,
  };
  await insertInstallation(database.db, installation);
  await insertRepositories(database.db, [facts]);
});

const known = async () => (await findRepository(database.db, facts.id))!;
const renamed = (name: string, second: number) =>
  ({ askedAt: at(second), included: true, facts: { ...facts, name } }) as const;

describe('insertRepositories', () => {
  it('writes down many, and leaves alone what is known', async () => {
    const others = [1, 2].map((number) => ({ ...facts, id: ++count, name: `other-${number}`, defaultBranch: 'trunk' }));
    await insertRepositories(database.db, [{ ...facts, name: 'boutique' }, ...others]);
    const found = await findRepositories(database.db, [facts.id, ...others.map(({ id }) => id)]);
    expect(found.map(({ name, defaultBranch, removed }) => [name, defaultBranch, removed])).toEqual([
      ['shop', 'main', false],
      ['other-1', 'trunk', false],
      ['other-2', 'trunk', false],
    ]);
  });

  it('has those of a removed installation removed', async () => {
    await removeInstallation(database.db, installation, at(1));
    await insertRepositories(database.db, [{ ...facts, id: ++count }]);
    expect(await findRepository(database.db, count)).toMatchObject({ removed: true, installation: { removed: true } });
  });
});

describe('replaceRepository', () => {
  it('writes the answer once: not over one that was written since', async () => {
    const before = await known();
    expect(await replaceRepository(database.db, before, renamed('boutique', 2))).toBe(true);
    expect(await replaceRepository(database.db, before, renamed('late', 1))).toBe(false);
    expect(await known()).toMatchObject({ name: 'boutique', defaultBranch: 'main', factsAt: at(2) });
  });

  it.each([false, true])(
    'brings nothing back that was deleted while GitHub was asked (removed before: %s)',
    async (was) => {
      if (was) await removeRepositories(database.db, { ids: [facts.id] }, at(1));
      const before = await known();
      await removeRepositories(database.db, { ids: [facts.id] }, at(2));
      expect(await replaceRepository(database.db, before, renamed('shop', 3))).toBe(false);
      expect(await known()).toMatchObject({ removed: true });
    },
  );

  it('keeps since when it is removed', async () => {
    await replaceRepository(database.db, await known(), { askedAt: at(1), included: false });
    await replaceRepository(database.db, await known(), { askedAt: at(2), included: false });
    expect(await database.db.repository.findUnique({ where: { id: facts.id } })).toMatchObject({
      removedAt: at(1),
      factsAt: at(2),
    });
    await replaceRepository(database.db, await known(), renamed('shop', 3));
    expect(await known()).toMatchObject({ removed: false });
  });
});

describe('replaceInstallation', () => {
  it('writes the answer once, and never over a removal', async () => {
    const before = (await findInstallation(database.db, installation.id))!;
    const suspended = { ...installation, suspendedAt: at(0) };
    expect(await replaceInstallation(database.db, before, { facts: suspended, askedAt: at(2) })).toBe(true);
    expect(await replaceInstallation(database.db, before, { facts: installation, askedAt: at(1) })).toBe(false);
    const after = (await findInstallation(database.db, installation.id))!;
    expect(after).toEqual({ ...suspended, removed: false, factsAt: at(2) });
    await removeInstallation(database.db, installation, at(3));
    expect(await replaceInstallation(database.db, after, { facts: installation, askedAt: at(4) })).toBe(false);
    expect(await findInstallation(database.db, installation.id)).toMatchObject({ removed: true, suspendedAt: at(0) });
  });
});
