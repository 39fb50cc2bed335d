import { beforeAll, describe, expect, it } from 'vitest';
import type { DeliveryResource } from '../../core/contract/resources/deliveries.ts';
import { insertDeliveries, settleDelivery, type NewDelivery } from '../../prisma/store/deliveries.ts';
import { recordHead } from '../../prisma/store/heads.ts';
import { insertInstallation } from '../../prisma/store/installations.ts';
import { insertRepositories } from '../../prisma/store/repositories.ts';
import { useBearer, useTestApi } from '../../test/store/api.ts';

const api = useTestApi();
const headers = useBearer(api);
const account = { id: 1, login: 'acme', type: 'Organization' };
const sha = 'a'.repeat(40);
const at = (second: number) => new Date(Date.UTC(2030, 0, 1, 0, 0, second));

beforeAll(async () => {
  const { db, pool } = api.database;
  await insertInstallation(db, { id: 5, account, permissions: {}, suspendedAt: null });
  const facts = { installationId: 5, owner: 'acme', private: true, defaultBranch: 'main' };
  await insertRepositories(db, [
    { ...facts, id: 8, name: 'shop' },
    { ...facts, id: 9, name: 'shop-2' },
  ]);
  const delivery = (guid: string, second: number, changed: Partial<NewDelivery> = {}): NewDelivery => ({
    ...{ guid, event: 'push', action: null, installationId: 5, repositoryId: 8, payload: Buffer.from('{"canary":1}') },
    ...{ receivedAt: at(second), storedAt: at(second), ignored: null, ...changed },
  });
  const ignored = { code: 'event_unhandled', reason: 'Landfall does nothing on this event.' };
  await insertDeliveries(pool, [
    delivery('g-done', 1),
    delivery('g-tag', 2),
    delivery('g-failed', 3, { repositoryId: 9 }),
    delivery('g-star', 4, { event: 'star', action: 'created', repositoryId: 77, ignored }),
    delivery('g-new', 4),
  ]);
  const head = { repositoryId: 8, before: sha, after: sha, forced: false, arrivedAt: at(2) };
  await recordHead(db, { ...head, ref: 'refs/tags/v1', deliveryGuid: 'g-tag' });
  await settleDelivery(db, 'g-done', { status: 'processed' }, at(5));
  await settleDelivery(db, 'g-tag', { status: 'ignored', code: 'tag_push', reason: 'Tags are not deployed.' }, at(5));
  await settleDelivery(db, 'g-failed', { status: 'failed', code: 'internal', reason: 'ECONNRESET' }, at(5));
});

const call = (query = '') => api.fastify.inject({ url: `/api/v1/deliveries${query}`, headers });

async function guids(query: string): Promise<string[]> {
  const { deliveries } = (await call(query)).json<{ deliveries: DeliveryResource[] }>();
  return deliveries.map(({ guid }) => guid);
}

describe('deliveries', () => {
  it('say what was pushed, what became of it, why and what to do, and nothing of their payloads', async () => {
    const answer = await call('?repository=acme/shop&status=ignored');
    expect(answer.json()).toEqual({
      deliveries: [
        {
          ...{ guid: 'g-tag', event: 'push', action: null, repository: 'acme/shop', ref: 'refs/tags/v1', sha },
          ...{ status: 'ignored', reasonCode: 'tag_push', reason: 'Tags are not deployed.' },
          ...{ todo: 'Push a branch that an environment names.', attempts: 0 },
          ...{ receivedAt: at(2).toISOString(), processedAt: at(5).toISOString() },
        },
      ],
    });
    expect((await call()).body).not.toContain('canary');
  });

  it('come newest first, also those that nothing handles or whose repository is not known', async () => {
    expect(await guids('?unhandled=true')).toEqual(['g-star', 'g-new', 'g-failed', 'g-tag', 'g-done']);
    const { deliveries } = (await call('?unhandled=true&limit=1')).json<{ deliveries: DeliveryResource[] }>();
    expect(deliveries).toMatchObject([
      { event: 'star', action: 'created', repository: null, ref: null, reasonCode: 'event_unhandled' },
    ]);
  });

  it('leave out those that nothing handles, unless they are asked for', async () => {
    expect(await guids('')).toEqual(['g-new', 'g-failed', 'g-tag', 'g-done']);
    expect(await guids('?status=ignored')).toEqual(['g-tag']);
    expect(await guids('?status=ignored&unhandled=true')).toEqual(['g-star', 'g-tag']);
  });

  it('P68: are found by the exact name of their repository, in any case', async () => {
    expect(await guids('?repository=acme/shop')).toEqual(['g-new', 'g-tag', 'g-done']);
    expect(await guids('?repository=ACME/Shop-2')).toEqual(['g-failed']);
    expect(await guids('?repository=acme/sho_')).toEqual([]);
    expect(await guids('?repository=acme/none')).toEqual([]);
  });

  it.each([
    ['received', ['g-new']],
    ['failed', ['g-failed']],
    ['processed', ['g-done']],
  ])('are found by their status %s', async (status, found) => {
    expect(await guids(`?status=${status}`)).toEqual(found);
  });

  it('go on after the last of the page before', async () => {
    expect(await guids('?limit=2')).toEqual(['g-new', 'g-failed']);
    expect(await guids('?limit=2&before=g-failed')).toEqual(['g-tag', 'g-done']);
    expect(await guids('?limit=2&before=g-done')).toEqual([]);
    expect(await guids('?before=never-received')).toEqual([]);
  });

  it.each(['?status=lost', '?limit=0', '?limit=201', '?unhandled=maybe', '?repository=shop', "?before=x'--"])(
    'refuse %s',
    async (query) => {
      expect((await call(query)).json()).toMatchObject({ error: { code: 'invalid_request' } });
    },
  );
});
