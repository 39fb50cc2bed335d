/** Plays the bot's and the agents' part before the worker: rows are written by the stores that the bot and the API use. */
import { randomUUID } from 'node:crypto';
import type { NodeResources } from '../../core/contract/status.ts';
import type { BuildOutcome } from '../../core/contract/work.ts';
import { defaultBuild, defaultHealth, defaultService } from '../../core/spec/defaults.ts';
import type { ResolvedService } from '../../core/spec/resolve.ts';
import { generateKeyPair, type KeyPair } from '../../platform/crypto/keys.ts';
import { advanceBuild, advanceRollout, flushOutbox, mintSourceToken } from '../../platform/queue/jobs.ts';
import type { Queues } from '../../platform/queue/queues.ts';
import { transaction } from '../../prisma/client.ts';
import { loadExpectedSnapshot } from '../../prisma/store/expected-state.ts';
import { insertInstallation } from '../../prisma/store/installations.ts';
import { acceptIntent } from '../../prisma/store/intents.ts';
import { ensureProject } from '../../prisma/store/projects.ts';
import { createNode } from '../../prisma/store/registration.ts';
import { insertRepositories } from '../../prisma/store/repositories.ts';
import { takeReport, type AllocationReport } from '../../prisma/store/status.ts';
import { claimWork, finishWork, renewWork, workOffers } from '../../prisma/store/work-items.ts';
import type { World } from './world.ts';

type AnyWorld = World<Queues>;

export interface Project {
  id: string;
  repositoryId: number;
  installationId: number;
  owner: string;
  name: string;
  /** A commit of its own, at GitHub. */
  commit(): Promise<string>;
}

let projects = 0;

export async function makeProject(world: AnyWorld, owner = 'acme', name = `shop-${++projects}`): Promise<Project> {
  const { database, sandbox } = world;
  const made = await sandbox.createRepository({ owner, name, files: { Dockerfile: 'FROM scratch\n' } });
  const installationId = made.installationId!;
  const account = { id: installationId, login: owner, type: 'Organization' };
  await insertInstallation(database.db, { id: installationId, account, permissions: {}, suspendedAt: null });
  const facts = { id: made.id, installationId, owner, name, private: true, defaultBranch: 'main' };
  await insertRepositories(database.db, [facts]);
  let count = 0;
  return {
    ...{ id: await ensureProject(database.db, made.id), repositoryId: made.id, installationId, owner, name },
    async commit() {
      const files = { 'count.txt': String(count++) };
      const change = { repositoryId: made.id, branch: 'main', author: 'ada', message: 'change', files };
      return (await sandbox.commit(change)).sha;
    },
  };
}

export function resolved(name: string, change: Partial<ResolvedService['service']> = {}): ResolvedService {
  const { resources, command, env, secrets, replicas, stopGraceMs, deadlineMs } = defaultService;
  const service = { name, command, env, secrets, port: 8_080, health: defaultHealth(8_080), resources, replicas };
  return { build: defaultBuild, service: { ...service, stopGraceMs, deadlineMs, ...change } };
}

export interface PushOptions {
  sha?: string;
  environment?: string;
  services?: ResolvedService[];
}

/** What the bot does for an accepted push. Gives the intent's id. */
export async function push(world: AnyWorld, project: Project, options: PushOptions = {}): Promise<string> {
  const sha = options.sha ?? (await project.commit());
  const services = Object.fromEntries((options.services ?? [resolved('web')]).map((each) => [each.service.name, each]));
  const now = world.now();
  const { intentId, builds, owes } = await transaction(world.database, (tx) =>
    acceptIntent(
      tx,
      {
        ...{
          projectId: project.id,
          environment: { name: options.environment ?? 'production', url: null },
          sha,
          services,
        },
        ...{ ref: 'refs/heads/main', trigger: 'push', actor: 'ada', deliveryGuid: randomUUID(), requestedAt: now },
      },
      { consoleUrl: world.deps.consoleUrl, now },
    ),
  );
  for (const { id, version } of builds) await world.queues.enqueue(advanceBuild, { buildId: id, version });
  if (owes !== null) await world.queues.enqueue(flushOutbox, owes);
  return intentId;
}

const roomy: NodeResources = {
  cpuMillis: 8_000,
  memoryBytes: 16e9,
  memoryFreeBytes: 12e9,
  diskBytes: 100e9,
  diskFreeBytes: 50e9,
  load1: 0.1,
  architecture: 'amd64',
  kernel: '6.1',
  engineVersion: '4.3.1',
};

export interface Claimed {
  id: string;
  attempt: number;
}

/** A node and its agent. */
export interface PlayedAgent {
  id: string;
  sealing: KeyPair;
  /** Reports these containers, and otherwise that nothing runs. */
  report(containers?: Partial<AllocationReport>[]): Promise<void>;
  /** Says again what it said last. */
  beat(): Promise<void>;
  /** Allocations that it is expected to run. */
  expected(): Promise<{ id: string; ip: string; serviceName: string }[]>;
  /** Reports all that is expected as running and healthy. */
  converge(change?: Partial<AllocationReport>): Promise<void>;
  /** Claims the first build that is offered to it; null when none is. */
  claim(): Promise<Claimed | null>;
  renew(claimed: Claimed): Promise<{ cancelCode: string | null } | null>;
  /** False when the attempt is not its own any more. */
  finish(claimed: Claimed, outcome?: BuildOutcome): Promise<boolean>;
}

let digests = 0;

export function succeeded(): BuildOutcome {
  const imageDigest = `sha256:${(++digests).toString(16).padStart(64, '0')}`;
  return { kind: 'succeeded', imageDigest, exposedPorts: [8_080], timings: { fetch: 1, build: 2, push: 3 } };
}

const healthy = {
  observed: 'running',
  health: 'healthy',
  detail: null,
  detailCode: null,
  lastLog: [],
  restarts: 0,
} as const;
const leaseMs = 30_000;
let nodes = 0;

async function registerNode(db: World['database']['db'], sealing: KeyPair): Promise<string> {
  const subnet = ++nodes;
  const { id } = await createNode(db, {
    ...{ name: `node-${subnet}`, kind: 'worker', subnet, agentVersion: 'test', revive: null },
    ...{
      signingKey: generateKeyPair('Ed25519').publicKey,
      sealingKey: sealing.publicKey,
      wireguardKey: `wg-${subnet}`,
    },
  });
  return id;
}

export async function makeAgent(
  world: AnyWorld,
  change: { resources?: Partial<NodeResources>; buildSlots?: number } = {},
): Promise<PlayedAgent> {
  const { database, queues, now } = world;
  const { db, pool } = database;
  const sealing = generateKeyPair('X25519');
  const id = await registerNode(db, sealing);
  const epoch = randomUUID();
  let sequence = 0;
  let last: Partial<AllocationReport>[] = [];
  const lease = () => ({ at: now(), until: new Date(now().getTime() + leaseMs) });
  const agent: PlayedAgent = {
    id,
    sealing,
    async report(containers = []) {
      last = containers;
      const { generation } = await db.node.findUniqueOrThrow({ where: { id } });
      const taken = await takeReport(pool, {
        ...{
          nodeId: id,
          epoch,
          sequence: ++sequence,
          at: now(),
          agentVersion: 'test',
          generation,
          publicAddress: null,
        },
        ...{ converged: true, idle: true, resources: { ...roomy, ...change.resources }, capabilities: ['build'] },
        buildSlots: change.buildSlots ?? 2,
        allocations: containers.map((each) => ({ ...healthy, id: '', ...each })),
      });
      for (const { id: rolloutId, factsVersion } of taken?.moved ?? [])
        await queues.enqueue(advanceRollout, { rolloutId, version: factsVersion });
    },
    beat: () => agent.report(last),
    async expected() {
      const snapshot = await loadExpectedSnapshot(database, id, now());
      return (snapshot?.allocations ?? []).map(({ allocationId, ip, serviceName }) => ({
        id: allocationId,
        ip,
        serviceName,
      }));
    },
    async converge(each = {}) {
      await agent.report((await agent.expected()).map((allocation) => ({ ...each, id: allocation.id })));
    },
    async claim() {
      const offer = (await workOffers(db, id)).find(({ status }) => status === 'offered');
      if (offer === undefined) return null;
      const claimed = { id: offer.workId, attempt: offer.attempt };
      if (!(await transaction(database, (tx) => claimWork(tx, { ...claimed, nodeId: id }, lease())))) return null;
      await queues.enqueue(mintSourceToken, { workItemId: claimed.id, attempt: claimed.attempt });
      return claimed;
    },
    renew: (claimed) => renewWork(db, { ...claimed, nodeId: id }, lease()),
    async finish(claimed, outcome = succeeded()) {
      const hold = { ...claimed, nodeId: id };
      const finished = await transaction(database, (tx) => finishWork(tx, hold, { outcome, at: now() }));
      if (finished === null) return false;
      if (finished.buildId !== null && finished.buildVersion !== null)
        await queues.enqueue(advanceBuild, { buildId: finished.buildId, version: finished.buildVersion });
      return true;
    },
  };
  await agent.report();
  return agent;
}

/** Lets these agents build what is offered to them. Gives what they finished. */
export async function buildAll(
  world: World,
  agents: PlayedAgent[],
  outcome: () => BuildOutcome = succeeded,
): Promise<Claimed[]> {
  const built: Claimed[] = [];
  for (const agent of agents) await agent.beat();
  await world.queues.drain();
  for (const agent of agents)
    for (let claimed = await agent.claim(); claimed !== null; claimed = await agent.claim()) {
      await world.queues.drain();
      await agent.finish(claimed, outcome());
      built.push(claimed);
      await world.queues.drain();
    }
  await world.queues.drain();
  return built;
}

/** Lets these agents run what is expected of them, until nothing moves any more. */
export async function convergeAll(world: World, agents: PlayedAgent[]): Promise<void> {
  for (let round = 0; round < 3; round++) {
    for (const agent of agents) await agent.converge();
    await world.queues.drain();
  }
}

/** From a push to a release that serves. Gives the intent's id. */
export async function deploy(
  world: World,
  project: Project,
  agents: PlayedAgent[],
  options: PushOptions = {},
): Promise<string> {
  const intentId = await push(world, project, options);
  await buildAll(world, agents);
  await convergeAll(world, agents);
  return intentId;
}

/** What there is of a project, counted: the same however often the jobs that made it ran. */
export async function counted({ database, sandbox }: AnyWorld, project: Project) {
  const { db } = database;
  const service = { environment: { projectId: project.id } };
  const intents = await db.intent.findMany({ where: { environment: { projectId: project.id } } });
  const rollouts = await db.rollout.findMany({ where: { service }, orderBy: { createdAt: 'asc' } });
  const terminal = ['running', 'stopped', 'failed', 'rolled_back'] as const;
  const ends = await db.rolloutEvent.groupBy({
    by: ['rolloutId'],
    where: { rollout: { service }, toStage: { in: [...terminal] } },
    _count: true,
  });
  const ofProject = ({ repositoryId }: { repositoryId: number }): boolean => repositoryId === project.repositoryId;
  return {
    intents: intents.map(({ status }) => status),
    builds: await db.build.count({ where: { projectId: project.id } }),
    attempts: await db.workItem.count({ where: { build: { projectId: project.id } } }),
    releases: await db.release.count({ where: { service } }),
    rollouts: rollouts.map(({ stage }) => stage),
    /** Of each rollout: terminal events. */
    ends: ends.map(({ _count }) => _count),
    allocations: await db.allocation.count({ where: { service } }),
    checkRuns: sandbox.state.checkRuns.filter(ofProject).map(({ conclusion }) => conclusion),
    deployments: sandbox.state.deployments.filter(ofProject).length,
    statuses: sandbox.state.deploymentStatuses.filter(ofProject).map(({ state }) => state),
  };
}

/** Of one deploy of one service that went well. */
export const oneDeploy = {
  intents: ['succeeded'],
  builds: 1,
  attempts: 1,
  releases: 1,
  rollouts: ['running'],
  ends: [1],
  allocations: 1,
  checkRuns: ['success'],
  deployments: 1,
  statuses: ['in_progress', 'success'],
};
