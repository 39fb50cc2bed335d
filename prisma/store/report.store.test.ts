import { describe, expect, it } from 'vitest';
import Value from 'typebox/value';
import { CreateDeploymentStatus } from '../../core/report/writes.ts';
import { useDatabase } from '../../test/store/database.ts';
import { makeAllocation, makeRelease, makeRollout, makeWorld, sha } from '../../test/store/rows.ts';
import { reportIntent, type ReportContext } from './report.ts';

const database = useDatabase();
let subnet = 0;

const context = {
  consoleUrl: (intentId: string) => `https://landfall.test/intents/${intentId}`,
  now: new Date('2030-01-01T00:00:00Z'),
};

/** What GitHub is owed as the link of a deployment that serves: its environment's URL, and where its container is. */
async function linkOf(url: string | null, reached: Pick<ReportContext, 'containerUrl'>) {
  const { db } = database;
  const world = await makeWorld(db);
  await db.environment.update({ where: { id: world.environmentId }, data: { url } });
  const intent = await db.intent.create({
    data: {
      ...{ environmentId: world.environmentId, sha, ref: 'refs/heads/main', trigger: 'push', actor: 'ada' },
      ...{ config: {}, requestedAt: context.now, status: 'succeeded' },
    },
  });
  const release = await makeRelease(db, world.service.id);
  const rollout = await makeRollout(db, release, { intentId: intent.id, stage: 'running' });
  const name = `node-${++subnet}`;
  const keys = { signingKey: name, sealingKey: name, wireguardKey: name };
  const node = await db.node.create({ data: { name, subnet, ...keys } });
  await makeAllocation(db, { nodeId: node.id, release, rolloutId: rollout.id }, { ip: '10.200.1.7' });
  await reportIntent(db, intent.id, { ...context, ...reached });
  const { payload } = await db.outboxWrite.findFirstOrThrow({
    where: { subject: `intent:${intent.id}`, kind: 'createDeploymentStatus' },
  });
  const { body } = Value.Parse(CreateDeploymentStatus, payload);
  expect(body.state).toBe('success');
  return body.environment_url;
}

describe('the link of a deployment', () => {
  const containerUrl = (address: string) => `http://${address}`;

  it('is the URL of its environment', async () => {
    expect(await linkOf('https://shop.example.com', { containerUrl })).toBe('https://shop.example.com');
  });

  it('is its container where people reach those', async () => {
    expect(await linkOf(null, { containerUrl })).toBe('http://10.200.1.7:8080');
  });

  it('P12: is left out where it would lead nowhere', async () => {
    expect(await linkOf(null, { containerUrl: () => null })).toBeUndefined();
    expect(await linkOf(null, {})).toBeUndefined();
  });
});
