import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { appId, appOctokit, valueAt, webhookSecret } from '../testing/harness.ts';
import { useStage } from '../testing/use-stage.ts';

const stage = useStage();
let writes = 0;

beforeEach(() => {
  stage.receiver.received.length = 0;
  stage.receiver.status = 202;
  stage.sandbox.faults.clear();
});

async function push(): Promise<string> {
  writes += 1;
  const files = { 'n.txt': `${writes}` };
  const { sha } = await stage.sandbox.commit({
    repositoryId: stage.repositoryId,
    branch: 'main',
    author: 'ada',
    message: 'Ünïcode ✓',
    files,
  });
  return sha;
}

function pushes() {
  return stage.receiver.named('push');
}

async function listed() {
  const { data } = await appOctokit(stage.sandbox).rest.apps.listWebhookDeliveries({ per_page: 100 });
  return data;
}

describe('a delivery', () => {
  it('is signed over its raw bytes and carries GitHub’s headers', async () => {
    await push();
    await stage.sandbox.deliveries.idle();
    const [{ headers, raw }] = pushes() as [ReturnType<typeof pushes>[number]];
    const expected = createHmac('sha256', webhookSecret).update(raw).digest('hex');
    expect(headers['x-hub-signature-256']).toBe(`sha256=${expected}`);
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-hook-installation-target-id': String(appId),
      'x-github-hook-installation-target-type': 'integration',
    });
    expect(headers['x-github-delivery']).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers['x-github-hook-id']).toMatch(/^\d+$/);
    expect(headers['user-agent']).toMatch(/^GitHub-Hookshot\//);
  });

  it('that fails is not repeated, but can be redelivered under its own GUID', async () => {
    stage.receiver.status = 500;
    await push();
    await stage.sandbox.deliveries.idle();
    expect(pushes()).toHaveLength(1);
    const failed = (await listed()).find(({ event }) => event === 'push')!;
    expect(failed).toMatchObject({ status: 'Invalid HTTP Response: 500', status_code: 500, redelivery: false });
    stage.receiver.status = 200;
    const app = appOctokit(stage.sandbox);
    await app.rest.apps.redeliverWebhookDelivery({ delivery_id: failed.id });
    await stage.sandbox.deliveries.idle();
    const [first, second] = pushes();
    expect(second!.raw).toBe(first!.raw);
    expect(second!.headers['x-github-delivery']).toBe(first!.headers['x-github-delivery']);
    const again = (await listed())[0]!;
    expect(again).toMatchObject({ guid: failed.guid, redelivery: true, status: 'OK', status_code: 200 });
    const { data } = await app.rest.apps.getWebhookDelivery({ delivery_id: again.id });
    expect(data.request.payload).toMatchObject({ ref: 'refs/heads/main' });
  });

  it('to nobody is recorded as failed, and to no webhook at all is not made', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    await stage.sandbox.setWebhook({ url: `http://127.0.0.1:${port}/` });
    await push();
    await stage.sandbox.deliveries.idle();
    const newest = (await listed()).find(({ event }) => event === 'push')!;
    expect(newest).toMatchObject({ status: 'failed to connect to host', status_code: 502 });
    await stage.sandbox.setWebhook({ url: null });
    const before = (await listed()).length;
    await push();
    expect(await listed()).toHaveLength(before);
    await stage.sandbox.setWebhook({ url: stage.receiver.url });
  });

  it('is listed page by page with a cursor', async () => {
    await push();
    await push();
    await stage.sandbox.deliveries.idle();
    const app = appOctokit(stage.sandbox);
    const paged = await app.paginate(app.rest.apps.listWebhookDeliveries, { per_page: 2 });
    expect(paged.map(({ id }) => id)).toEqual((await listed()).map(({ id }) => id));
    const failures = await app.request('GET /app/hook/deliveries', { status: 'failure', per_page: 100 });
    expect(failures.data.every(({ status_code }) => status_code >= 400)).toBe(true);
  });
});

describe('faults of deliveries', () => {
  it('duplicate one, with the same GUID', async () => {
    stage.sandbox.faults.set({ kind: 'duplicate', match: 'push', times: 1 });
    await push();
    await push();
    await stage.sandbox.deliveries.idle();
    const guids = pushes().map(({ headers }) => headers['x-github-delivery']);
    expect(guids).toHaveLength(3);
    expect(new Set(guids).size).toBe(2);
    expect(stage.sandbox.faults.list()).toEqual([]);
  });

  it('lose one, which the deliveries API still knows', async () => {
    stage.sandbox.faults.set({ kind: 'lose', match: 'push', times: 1 });
    const lost = await push();
    await stage.sandbox.deliveries.idle();
    expect(pushes()).toEqual([]);
    const failed = (await listed()).find(({ event }) => event === 'push')!;
    expect(failed.status_code).toBe(502);
    await stage.sandbox.redeliver({ deliveryId: failed.id });
    await stage.sandbox.deliveries.idle();
    expect(pushes()[0]!.payload.after).toBe(lost);
  });

  it('delay one', async () => {
    stage.sandbox.faults.set({ kind: 'delay', milliseconds: 300, match: 'push', times: 1 });
    const delayed = await push();
    const prompt = await push();
    await stage.sandbox.deliveries.idle();
    expect(pushes().map((each) => valueAt(each, 'after'))).toEqual([prompt, delayed]);
  });

  it('reorder one behind the next', async () => {
    stage.sandbox.faults.set({ kind: 'reorder', match: 'push', times: 1 });
    const held = await push();
    const next = await push();
    await stage.sandbox.deliveries.idle();
    expect(pushes().map((each) => valueAt(each, 'after'))).toEqual([next, held]);
  });

  it('leave other events alone', async () => {
    stage.sandbox.faults.set({ kind: 'lose', match: 'pull_request.*' });
    await push();
    await stage.sandbox.deliveries.idle();
    expect(pushes()).toHaveLength(1);
  });
});
