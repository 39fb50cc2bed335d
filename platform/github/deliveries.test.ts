import { expect, it } from 'vitest';
import { apiUrl, fakeGithub, json } from '../../test/fakes/github.ts';
import { fetchDeliveryPayload, listDeliveries } from './deliveries.ts';

/** Octokit reads numbers beyond 2^53 exactly; JSON.stringify cannot write them, so the answer is text. */
const listed = `[{"id":9007199254740993,"guid":"g1","delivered_at":"2030-01-01T00:00:00Z","event":"push","action":null,
  "redelivery":false,"status_code":202}]`;

it('lists deliveries page by page, whatever the size of their ids', async () => {
  const link = `<${apiUrl}/app/hook/deliveries?per_page=100&cursor=v1_17>; rel="next"`;
  const github = fakeGithub(({ path }) =>
    path.includes('cursor')
      ? json(200, [])
      : new Response(listed, { headers: { 'content-type': 'application/json', link } }),
  );
  const first = await listDeliveries(github.app.asApp(), null);
  expect(first).toEqual({
    deliveries: [{ id: '9007199254740993', guid: 'g1', deliveredAt: new Date('2030-01-01T00:00:00Z'), event: 'push' }],
    cursor: 'v1_17',
  });
  expect(await listDeliveries(github.app.asApp(), first.cursor)).toEqual({ deliveries: [], cursor: null });
  expect(github.asked.at(-1)?.path).toBe('/app/hook/deliveries?per_page=100&cursor=v1_17');
});

it('gives the payload of a delivery, and null when GitHub has forgotten it', async () => {
  const github = fakeGithub(({ path }) =>
    path.endsWith('/9007199254740993')
      ? json(200, { request: { headers: {}, payload: { ref: 'refs/heads/main' } } })
      : json(404, { message: 'Not Found' }),
  );
  const app = github.app.asApp();
  expect(await fetchDeliveryPayload(app, '9007199254740993')).toEqual({ ref: 'refs/heads/main' });
  expect(await fetchDeliveryPayload(app, '1')).toBeNull();
});
