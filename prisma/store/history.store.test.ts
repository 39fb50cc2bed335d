import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keptMs, keptNewest } from '../../core/retention/policy.ts';
import { useDatabase } from '../../test/store/database.ts';
import {
  makeAllocation,
  makeBuild,
  makeRelease,
  makeRollout,
  makeWorld,
  sha,
  type World,
} from '../../test/store/rows.ts';
import type { Db, Intent, Release } from '../client.ts';
import { histories } from './history.ts';

const database = useDatabase();
let db: Db;
let world: World;
const now = new Date('2030-01-01T00:00:00Z');
const ago = (ms: number): Date => new Date(now.getTime() - ms);
const old = ago(keptMs.history + 1_000);
const recent = ago(keptMs.history - 1_000);

beforeAll(() => {
  ({ db } = database);
});
beforeEach(async () => {
  world = await makeWorld(db);
});
/** Until nothing goes any more. Gives how many rows went in all. */
async function clean(limit?: number): Promise<number> {
  let all = 0;
  for (;;) {
    let round = 0;
    for (const { deleteSome } of histories) round += await deleteSome(db, now, limit);
    if (round === 0) return all;
    all += round;
  }
}

async function makeIntent(at: Date, change: Partial<Intent> = {}): Promise<Intent> {
  const { environmentId } = world;
  const of = { environmentId, sha, ref: 'refs/heads/main', trigger: 'push', actor: 'ada', requestedAt: at };
  return db.intent.create({
    data: { ...of, status: 'succeeded', createdAt: at, finishedAt: at, ...change, config: {} },
  });
}

/** What one push leaves behind, so many milliseconds before all that is kept. */
async function deploy(at: Date, serving = false): Promise<Release> {
  const intent = await makeIntent(at);
  const build = await makeBuild(db, world.projectId, { status: 'succeeded', createdAt: at, finishedAt: at });
  await db.intentBuild.create({ data: { intentId: intent.id, buildId: build.id, service: 'web' } });
  const release = await makeRelease(db, world.service.id, { buildId: build.id, createdAt: at });
  const rollout = await makeRollout(db, release, {
    intentId: intent.id,
    stage: 'running',
    createdAt: at,
    finishedAt: at,
  });
  await db.rolloutEvent.create({ data: { rolloutId: rollout.id, at, reasonCode: 'placed', message: 'Placed.' } });
  const node = await db.node.findFirstOrThrow();
  await makeAllocation(
    db,
    { nodeId: node.id, release, rolloutId: rollout.id },
    serving ? {} : { desired: 'stopped', observed: 'gone', stoppedAt: at },
  );
  return release;
}

const releaseNumbers = async (): Promise<number[]> =>
  (await db.release.findMany({ where: { serviceId: world.service.id }, orderBy: { number: 'asc' } })).map(
    ({ number }) => number,
  );

describe('history', () => {
  beforeAll(async () => {
    const keys = { signingKey: 's', sealingKey: 'x', wireguardKey: 'w' };
    await db.node.create({ data: { name: 'one', subnet: 1, ...keys } });
  });

  it('of a service goes with all that hangs on it, but for the newest, what serves, and what is young', async () => {
    const serving = await deploy(old, true);
    await db.service.update({ where: { id: world.service.id }, data: { servingReleaseId: serving.id } });
    for (let count = 0; count < 5; count++) await deploy(old);
    for (let count = 0; count < keptNewest; count++) await deploy(old);
    expect(await clean(2)).toBeGreaterThan(0);
    const newest = Array.from({ length: keptNewest }, (_, index) => index + 7);
    expect(await releaseNumbers()).toEqual([1, ...newest]);
    const { environmentId, projectId } = world;
    const service = { id: world.service.id };
    expect(await db.rollout.count({ where: { service } })).toBe(keptNewest + 1);
    expect(await db.rolloutEvent.count({ where: { rollout: { service } } })).toBe(keptNewest + 1);
    expect(await db.allocation.count({ where: { service } })).toBe(keptNewest + 1);
    expect(await db.build.count({ where: { projectId } })).toBe(keptNewest + 1);
    expect(await db.intent.count({ where: { environmentId } })).toBe(keptNewest + 1);
    const kept = await db.service.findUniqueOrThrow({ where: service, include: { allocations: true } });
    expect(kept.servingReleaseId).toBe(serving.id);
    expect(kept.allocations.filter(({ desired }) => desired === 'running')).toHaveLength(1);
  });

  it('is kept whole while it is young, however much there is', async () => {
    for (let count = 0; count < keptNewest + 3; count++) await deploy(recent);
    await clean();
    expect(await releaseNumbers()).toHaveLength(keptNewest + 3);
    expect(await db.intent.count({ where: { environmentId: world.environmentId } })).toBe(keptNewest + 3);
  });

  it('of a service does not take that of another with it', async () => {
    await deploy(old);
    const first = world;
    world = await makeWorld(db);
    for (let count = 0; count < keptNewest + 1; count++) await deploy(old);
    await clean();
    expect(await releaseNumbers()).toHaveLength(keptNewest);
    expect(await db.release.count({ where: { serviceId: first.service.id } })).toBe(1);
  });

  it('keeps intents that go on, that GitHub shows as deployed, or that still owe it something', async () => {
    const active = await makeIntent(old, { status: 'active', finishedAt: null });
    const shown = await makeIntent(old);
    const owing = await makeIntent(old);
    const gone = await makeIntent(old);
    const { repositoryId } = await db.project.findUniqueOrThrow({ where: { id: world.projectId } });
    const { installationId } = await db.repository.findUniqueOrThrow({ where: { id: repositoryId } });
    const { environmentId } = world;
    for (const { id } of [shown, gone]) {
      const state = id === shown.id ? 'success' : 'inactive';
      await db.githubDeployment.create({ data: { intentId: id, repositoryId, environmentId, sha, state } });
      await db.checkRun.create({
        data: { intentId: id, repositoryId, sha, name: 'landfall', externalId: `intent:${id}` },
      });
    }
    const owed = { installationId, subject: `intent:${owing.id}`, key: owing.id, kind: 'updateCheckRun', payload: {} };
    await db.outboxWrite.create({ data: owed });
    for (let count = 0; count < keptNewest; count++) await makeIntent(recent);
    await clean();
    const left = await db.intent.findMany({ where: { environmentId, createdAt: old }, orderBy: { id: 'asc' } });
    expect(left.map(({ id }) => id)).toEqual([active.id, shown.id, owing.id]);
    expect(await db.githubDeployment.count({ where: { environmentId } })).toBe(1);
    expect(await db.checkRun.count({ where: { repositoryId } })).toBe(1);
  });

  it.each([undefined, 2])('keeps of heads what the ledger is asked for, %s at a time', async (limit) => {
    const { repositoryId } = await db.project.findUniqueOrThrow({ where: { id: world.projectId } });
    const gone = '0'.repeat(40);
    const head = (ref: string, arrivedAt: Date, change = {}) => ({
      ...{ repositoryId, ref, sha, beforeSha: sha, arrivedAt, deliveryGuid: randomUUID(), ...change },
    });
    const many = Array.from({ length: keptNewest + 5 }, (_, number) => head('busy', old, { beforeSha: `${number}` }));
    const older = ago(keptMs.history + 60_000);
    await db.head.createMany({
      data: [
        ...[...many, head('busy', recent)],
        ...[head('quiet', older), head('quiet', old, { beforeSha: 'last' }), head('once', old)],
        // Fetched late: written after what came later.
        ...[head('late', old, { beforeSha: 'last' }), head('late', older)],
        ...[head('deleted', older), head('deleted', old, { sha: gone })],
        ...[head('late deletion', old, { beforeSha: 'last' }), head('late deletion', older, { sha: gone })],
        ...[head('deletion written first', old, { sha: gone }), head('deletion written first', older)],
        ...[head('deleted lately', old), head('deleted lately', recent, { sha: gone })],
        ...[head('made again', older, { sha: gone }), head('made again', old, { beforeSha: 'last' })],
      ],
    });
    await clean(limit);
    const left = await db.head.findMany({ where: { repositoryId }, orderBy: { id: 'asc' } });
    const of = (ref: string) => left.filter((row) => row.ref === ref).map(({ beforeSha }) => beforeSha);
    expect(of('busy')).toEqual([...many.slice(-(keptNewest - 1)).map(({ beforeSha }) => beforeSha), sha]);
    expect(of('deleted lately')).toHaveLength(2);
    const kept = left.map(({ ref }) => ref).filter((ref) => ref !== 'busy' && ref !== 'deleted lately');
    expect(kept).toEqual(['quiet', 'once', 'late', 'late deletion', 'made again']);
    for (const ref of ['quiet', 'late', 'late deletion', 'made again']) expect(of(ref)).toEqual(['last']);
  });

  it('of who did what is kept for a year; tokens that have run out for a month; removed nodes for as long as what ran there', async () => {
    const event = { actor: 'ada', action: 'node.cordoned', subject: 'node:1' };
    await db.auditEvent.createMany({
      data: [
        { ...event, at: ago(keptMs.auditEvents + 1) },
        { ...event, at: ago(keptMs.auditEvents - 1) },
      ],
    });
    const kind = 'worker' as const;
    await db.registrationToken.createMany({
      data: [
        { tokenHash: 'used', nodeName: 'a', kind, expiresAt: ago(keptMs.registrationTokens + 1), usedAt: old },
        { tokenHash: 'expired', nodeName: 'b', kind, expiresAt: ago(keptMs.registrationTokens + 1) },
        { tokenHash: 'valid', nodeName: 'c', kind, expiresAt: ago(-1) },
      ],
    });
    for (const name of ['empty', 'with history', 'young'])
      await db.node.create({
        data: {
          ...{ name, subnet: -Math.floor(Math.random() * 1e6), signingKey: name, sealingKey: 'x', wireguardKey: 'w' },
          removedAt: name === 'young' ? recent : old,
        },
      });
    const { id: nodeId } = await db.node.findUniqueOrThrow({ where: { name: 'with history' } });
    const build = await makeBuild(db, world.projectId, { status: 'failed', finishedAt: recent });
    await db.workItem.create({ data: { nodeId, buildId: build.id, kind: 'build', payload: {}, status: 'failed' } });
    await clean();
    expect(await db.auditEvent.count({ where: event })).toBe(1);
    expect((await db.registrationToken.findMany()).map(({ tokenHash }) => tokenHash)).toEqual(['valid']);
    const nodes = await db.node.findMany({ where: { removedAt: { not: null } }, orderBy: { name: 'asc' } });
    expect(nodes.map(({ name }) => name)).toEqual(['with history', 'young']);
  });
});
