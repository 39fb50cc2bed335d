import { beforeEach, describe, expect, it } from 'vitest';
import { registryContext } from '../../core/contract/sealing.ts';
import type { ClaimAnswer } from '../../core/contract/work.ts';
import { importPrivateKey } from '../../platform/crypto/keys.ts';
import { open } from '../../platform/crypto/sealing.ts';
import type { Build, WorkItem } from '../../prisma/client.ts';
import { storeSourceToken } from '../../prisma/store/source-tokens.ts';
import { useTestAgent, useTestApi, type TestAgent } from '../../test/store/api.ts';
import { buildSpec, imageDigest, makeBuild, makeWorld, offerWork, sha } from '../../test/store/rows.ts';

const api = useTestApi();
const one = useTestAgent(api, 'one');
const two = useTestAgent(api, 'two');
let build: Build;
let work: WorkItem;

beforeEach(async () => {
  const { projectId } = await makeWorld(api.database.db);
  build = await makeBuild(api.database.db, projectId);
  work = await offerWork(api.database.db, build, one.nodeId);
  api.jobs.length = 0;
});

const later = (ms: number) => (api.clock.now = new Date(api.clock.now.getTime() + ms));
const at = (verb: string, id = work.id) => `/work/${id}/${verb}`;
const attempt = (number: number) => ({ body: { attempt: number } });
const refusal = (answer: { statusCode: number; json: () => unknown }) => [
  answer.statusCode,
  (answer.json() as { error: { code: string } }).error.code,
];

/** Claims as the worker answers it: the token comes while the claim waits. */
async function claim(agent: TestAgent, number = 1) {
  const claiming = agent.call('POST', at('claim'), attempt(number));
  await expect.poll(() => api.jobs.map(({ name }) => name)).toContain('mintSourceToken');
  await storeSourceToken(api.database.db, { workItemId: work.id, attempt: number }, 'sealed-token');
  return claiming;
}

const succeeded = {
  kind: 'succeeded',
  imageDigest,
  exposedPorts: [8080],
  timings: { fetch: 1, build: 2, push: 3 },
} as const;

describe('work', () => {
  it('is claimed with everything that the build needs, and the token once it is minted', async () => {
    const answer = await claim(one);
    expect(answer.statusCode).toBe(200);
    const { order, leaseMs, attempt: number } = answer.json<ClaimAnswer>();
    expect(number).toBe(1);
    expect(leaseMs).toBe(30_000);
    expect(order).toMatchObject({
      ...{ kind: 'build', buildId: build.id, sha, spec: buildSpec, imageName: build.imageName },
      cloneUrl: expect.stringMatching(/^https:\/\/github\.example\.com\/acme\/shop-\d+\.git$/),
      sealedSourceToken: 'sealed-token',
      registry: { host: '127.0.0.1:7782', insecure: true },
      limits: { cpuMillis: 2_000, memoryBytes: 2 * 1024 ** 3 },
    });
    const key = importPrivateKey('X25519', one.keys.sealing);
    const opened = open(key, order.registry.sealedCredentials ?? '', registryContext('127.0.0.1:7782'));
    expect(JSON.parse(opened.toString())).toEqual({ username: 'landfall', password: 'registry-password-canary' });
    expect(await api.database.db.build.findUnique({ where: { id: build.id } })).toMatchObject({ status: 'building' });
  });

  it('P62: is claimed, renewed and finished by the node it was offered to, and no other gets a token', async () => {
    for (const verb of ['claim', 'renew'])
      expect(refusal(await two.call('POST', at(verb), attempt(1)))).toEqual([404, 'not_found']);
    const finish = { body: { attempt: 1, outcome: succeeded } };
    expect(refusal(await two.call('POST', at('finish'), finish))).toEqual([404, 'not_found']);
    expect(api.jobs).toEqual([]);
    expect(await api.database.db.workItem.findUnique({ where: { id: work.id } })).toEqual(work);
    expect(refusal(await one.call('POST', at('claim', 'no-uuid'), attempt(1)))).toEqual([404, 'not_found']);
  });

  it('P09: gets a token that was stored before the claim began to wait', async () => {
    const first = one.call('POST', at('claim'), attempt(1));
    await storeWhenClaimed();
    expect((await first).statusCode).toBe(200);
    const again = await one.call('POST', at('claim'), attempt(1));
    expect(again.json<ClaimAnswer>().order.sealedSourceToken).toBe('sealed-token');
  });

  async function storeWhenClaimed() {
    await expect
      .poll(async () => (await api.database.db.workItem.findUnique({ where: { id: work.id } }))?.status)
      .toBe('claimed');
    await storeSourceToken(api.database.db, { workItemId: work.id, attempt: 1 }, 'sealed-token');
  }

  it('is renewed while its lease runs, and not after', async () => {
    await claim(one);
    later(29_000);
    const renewed = await one.call('POST', at('renew'), attempt(1));
    expect(renewed.json()).toEqual({ leaseMs: 30_000, cancel: null });
    later(31_000);
    expect(refusal(await one.call('POST', at('renew'), attempt(1)))).toEqual([409, 'lease_lost']);
    expect(refusal(await one.call('POST', at('claim'), attempt(1)))).toEqual([409, 'lease_lost']);
  });

  it('is fenced by its attempt', async () => {
    expect(refusal(await one.call('POST', at('claim'), attempt(2)))).toEqual([409, 'attempt_stale']);
    await claim(one);
    expect(refusal(await one.call('POST', at('renew'), attempt(2)))).toEqual([409, 'attempt_stale']);
    expect(refusal(await one.call('POST', at('finish'), { body: { attempt: 2, outcome: succeeded } }))).toEqual([
      409,
      'attempt_stale',
    ]);
  });

  it('tells who renews that it was cancelled, and refuses who would begin it', async () => {
    await claim(one);
    await api.database.db.workItem.update({ where: { id: work.id }, data: { cancelCode: 'superseded' } });
    expect((await one.call('POST', at('renew'), attempt(1))).json()).toMatchObject({ cancel: 'superseded' });
    expect(refusal(await one.call('POST', at('claim'), attempt(1)))).toEqual([409, 'work_cancelled']);
    const cancelled = { attempt: 1, outcome: { kind: 'cancelled', code: 'superseded' } };
    expect((await one.call('POST', at('finish'), { body: cancelled })).statusCode).toBe(200);
    const after = await api.database.db.build.findUniqueOrThrow({ where: { id: build.id } });
    expect(after).toMatchObject({ status: 'superseded', reasonCode: 'superseded' });
  });

  it('is finished once: work and build change together, and the build is advanced', async () => {
    await claim(one);
    api.jobs.length = 0;
    const body = { attempt: 1, outcome: succeeded };
    expect((await one.call('POST', at('finish'), { body })).statusCode).toBe(200);
    const {
      status,
      imageDigest: digest,
      exposedPorts,
      timings,
      version,
    } = await api.database.db.build.findUniqueOrThrow({
      where: { id: build.id },
    });
    expect({ status, digest, exposedPorts, timings }).toEqual({
      ...{ status: 'succeeded', digest: imageDigest, exposedPorts: [8080], timings: succeeded.timings },
    });
    expect(api.jobs).toEqual([{ name: 'advanceBuild', payload: { buildId: build.id, version } }]);
    expect(await api.database.db.workItem.findUnique({ where: { id: work.id } })).toMatchObject({
      ...{ status: 'succeeded', credentialSealed: null },
    });
    expect(refusal(await one.call('POST', at('finish'), { body }))).toEqual([409, 'work_finished']);
  });

  it('keeps why a build failed, with its annotations', async () => {
    await claim(one);
    const annotations = [{ path: 'Dockerfile', line: 3, endLine: 3, message: 'unknown instruction' }];
    const outcome = { kind: 'failed', code: 'dockerfile_invalid', message: 'Line 3.', annotations, logTail: ['x\0'] };
    expect((await one.call('POST', at('finish'), { body: { attempt: 1, outcome } })).statusCode).toBe(200);
    expect(await api.database.db.build.findUnique({ where: { id: build.id } })).toMatchObject({
      ...{ status: 'failed', reasonCode: 'dockerfile_invalid', reason: 'Line 3.', annotations },
    });
  });

  it('ends a claim that waits when the repository is gone and the work with it', async () => {
    const claiming = one.call('POST', at('claim'), attempt(1));
    await expect.poll(() => api.jobs.length).toBe(1);
    await api.database.db.workItem.update({ where: { id: work.id }, data: { status: 'cancelled' } });
    await api.database.db.$executeRaw`SELECT pg_notify('landfall', ${`work:${work.id}`})`;
    expect(refusal(await claiming)).toEqual([409, 'work_cancelled']);
  });
});
