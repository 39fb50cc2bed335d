import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import Type from 'typebox';
import { DeliveryResource } from '../../core/contract/resources/deliveries.ts';
import type { IntentDetail } from '../../core/contract/resources/intents.ts';
import { startRedis, type TestRedis } from '../store/redis.ts';
import { eventually } from './eventually.ts';
import { addressOf, Harness, pageAt } from './harness.ts';
import { expectLandedOnce, expectNoOrphans, expectToldOnce } from './landed.ts';
import { containerProcesses, processesOf } from './processes.ts';
import { app, commandDockerfile, severalServices, slowDockerfile, type TestRepository } from './repository.ts';
import { watch } from './watch.ts';

const DeliveryList = Type.Object({ deliveries: Type.Array(DeliveryResource) });

describe.each(['PostgreSQL', 'Redis'] as const)('push to deploy with the queue on %s', (queue) => {
  let redis: TestRedis | null = null;
  let harness: Harness;
  let repository: TestRepository;
  /** The first commit that was deployed. */
  let first: string;

  beforeAll(async () => {
    redis = queue === 'Redis' ? await startRedis() : null;
    harness = await Harness.start({ queueUrl: redis?.url ?? null });
    repository = await harness.repository('shop');
  });

  afterAll(async () => {
    const faults = await harness.sandbox.listFailures({});
    const left = await harness.end();
    await redis?.stop();
    expect(left).toEqual([]);
    expect(faults).toEqual([]);
  });

  const landed: string[] = [];
  const landedOnce = async (intent: IntentDetail, page: string): Promise<void> => {
    await expectLandedOnce(harness, intent, page);
    landed.push(intent.sha);
  };
  const serves = (url: string, page: string) =>
    eventually(async () => ((await pageAt(url)) === page ? true : null), { what: `${page} at ${url}` });

  it('lands a push: the container answers with what was pushed, and GitHub tells of it in at most 6 writes', async () => {
    first = await repository.push(app('one'));
    const intent = await harness.succeeded(first);
    expect(await pageAt(addressOf(intent))).toBe('one');
    await landedOnce(intent, 'one');
    await expectToldOnce(harness, repository, first);
    const report = await harness.sandbox.inspectRepository({ repositoryId: repository.id });
    expect(report.deployments).toMatchObject([{ sha: first, environment: 'production', production: true }]);
    expect(report.deploymentStatuses.map(({ state }) => state)).toEqual(['in_progress', 'success']);
    expect(report.checkRuns).toMatchObject([{ headSha: first, status: 'completed', conclusion: 'success' }]);
    expect((await harness.sandbox.listWrites({})).length).toBeLessThanOrEqual(6);
  });

  it('P11: `success` is posted when it serves, and not before', async () => {
    const { rollouts } = await harness.succeeded(first);
    const serving = Date.parse(rollouts[0]!.timeline.find(({ toStage }) => toStage === 'running')!.at);
    const { deploymentStatuses } = await harness.sandbox.inspectRepository({ repositoryId: repository.id });
    expect(deploymentStatuses.find(({ state }) => state === 'success')!.createdAt).toBeGreaterThanOrEqual(serving);
  });

  it('P12: every URL that was posted leads somewhere', async () => {
    const { deploymentStatuses, checkRuns } = await harness.sandbox.inspectRepository({ repositoryId: repository.id });
    const success = deploymentStatuses.find(({ state }) => state === 'success')!;
    expect([success.environmentUrl, success.logUrl]).toEqual([
      expect.stringMatching(/^http/),
      expect.stringMatching(/^http/),
    ]);
    const posted = [
      ...deploymentStatuses.flatMap(({ logUrl, environmentUrl }) => [logUrl, environmentUrl]),
      ...checkRuns.flatMap(({ detailsUrl, output }) => [
        detailsUrl ?? '',
        ...urlsIn(output.summary),
        ...urlsIn(output.text),
      ]),
    ];
    const urls = [...new Set(posted.filter((url) => url !== ''))];
    const answers = await Promise.all(urls.map(async (url) => [url, (await fetch(url)).status]));
    expect(answers).toEqual(urls.map((url) => [url, 200]));
    expect(await (await fetch(success.environmentUrl)).text()).toBe('one');
    expect(await (await fetch(success.logUrl)).text()).toContain(first.slice(0, 7));
  });

  it('P06: the old release answers until the new one does, and then goes', async () => {
    const before = addressOf(await harness.succeeded(first));
    const watching = watch(before);
    const sha = await repository.push({ 'www/index.html': 'two' });
    const placed = await harness.intent(sha, hasAllocation);
    watching.add(addressOf(placed));
    const intent = await harness.succeeded(sha);
    const after = addressOf(intent);
    await serves(after, 'two');
    const samples = await watching.stop();
    const switched = Date.parse(intent.rollouts[0]!.timeline.find(({ toStage }) => toStage === 'stopping_old')!.at);
    expect(samples.filter(({ at, pages }) => at < switched - 2_000 && pages[before] !== 'one')).toEqual([]);
    expect(samples.filter(({ pages }) => pages[before] !== 'one' && pages[after] !== 'two')).toEqual([]);
    await eventually(async () => ((await pageAt(before)) === null ? true : null), { what: 'the end of the old one' });
    await landedOnce(intent, 'two');
    await expectToldOnce(harness, repository, sha);
  });

  it('P37: the deployment that was superseded is inactive', async () => {
    const { deployments, deploymentStatuses } = await harness.sandbox.inspectRepository({
      repositoryId: repository.id,
    });
    const old = deployments.find(({ sha }) => sha === first)!;
    const states = deploymentStatuses.filter(({ deploymentId }) => deploymentId === old.id).map(({ state }) => state);
    expect(states).toEqual(['in_progress', 'success', 'inactive']);
  });

  it('P10: a force-push back to an older commit deploys it again, without building it again', async () => {
    const [old] = await harness.intentsOf(first);
    const built = await harness.succeeded(first);
    await repository.git('push', '--quiet', '--force', 'origin', `${first}:refs/heads/main`);
    const intent = await harness.succeeded(first, [old!.id]);
    await serves(addressOf(intent), 'one');
    expect(intent.builds.map(({ id }) => id)).toEqual(built.builds.map(({ id }) => id));
    await expectNoOrphans(harness);
  });

  it('deploys a commit again when its check run is asked for again', async () => {
    const known = (await harness.intentsOf(first)).map(({ id }) => id);
    const { checkRuns } = await harness.sandbox.inspectRepository({ repositoryId: repository.id });
    const run = checkRuns.filter(({ headSha }) => headSha === first).at(-1)!;
    await harness.sandbox.rerequestCheck({ checkRunId: run.id, by: 'ada' });
    const intent = await harness.succeeded(first, known);
    expect(intent).toMatchObject({ trigger: 'rerequested', actor: 'ada' });
    await serves(addressOf(intent), 'one');
    await eventually(
      async () => {
        const { checkRuns: runs } = await harness.sandbox.inspectRepository({ repositoryId: repository.id });
        const same = runs.filter(({ name, headSha }) => name === run.name && headSha === first);
        return same.length > checkRuns.filter(({ headSha }) => headSha === first).length &&
          same.every(({ status }) => status === 'completed')
          ? same
          : null;
      },
      { what: 'every check run of the commit to be completed' },
    );
  });

  it('builds one push of more services than its node has slots one after another, and all of them land', async () => {
    const several = await harness.repository('several');
    const sha = await several.push(severalServices(['api', 'jobs', 'web']));
    const intent = await harness.succeeded(sha);
    expect(intent.builds.map(({ status, attempt }) => [status, attempt])).toEqual(
      intent.builds.map(() => ['succeeded', 1]),
    );
    expect(intent.rollouts.map(({ stage }) => stage)).toEqual(['running', 'running', 'running']);
    const slots = (await harness.rows<{ buildSlots: number }>(`SELECT "buildSlots" FROM "Node"`))[0]!.buildSlots;
    const work = await harness.rows<{ offered: number; ended: number }>(
      `SELECT extract(epoch FROM work."createdAt")::float8 AS offered, extract(epoch FROM work."finishedAt")::float8 AS ended
       FROM "WorkItem" AS work JOIN "Build" AS build ON build.id = work."buildId" WHERE build.sha = $1`,
      [sha],
    );
    expect(work).toHaveLength(3);
    const atOnce = work.map(
      ({ offered }) => work.filter((one) => one.offered <= offered && offered < one.ended).length,
    );
    expect(Math.max(...atOnce)).toBeLessThanOrEqual(slots);
    await expectNoOrphans(harness);
  });

  it('does nothing about tags, branches that nobody deploys and deleted ones, and says why in the delivery', async () => {
    const intentsBefore = await harness.rows('SELECT id FROM "Intent"');
    await repository.git('tag', 'v1');
    await repository.git('push', '--quiet', 'origin', 'v1');
    await repository.git('push', '--quiet', 'origin', 'HEAD:refs/heads/topic');
    await repository.git('push', '--quiet', 'origin', ':refs/heads/topic');
    await harness.sandbox.awaitDeliveries({});
    const deliveries = await eventually(
      async () => {
        const newest = await harness.get(`/deliveries?repository=${repository.fullName}&limit=3`, DeliveryList);
        return newest.deliveries.every(({ status }) => status !== 'received') ? newest.deliveries : null;
      },
      { what: 'the end of three deliveries' },
    );
    expect(deliveries.map(({ event, ref, reasonCode }) => [event, ref, reasonCode])).toEqual([
      ['push', 'refs/heads/topic', 'ref_deleted'],
      ['push', 'refs/heads/topic', 'branch_not_deployed'],
      ['push', 'refs/tags/v1', 'tag_push'],
    ]);
    for (const { status, reason } of deliveries)
      expect([status, reason]).toEqual(['ignored', expect.stringMatching(/\.$/)]);
    expect(await harness.rows('SELECT id FROM "Intent"')).toHaveLength(intentsBefore.length);
  });

  it('resumes after a restart of everything: it serves again, without a push', async () => {
    const [intent] = await harness.intentsOf(first);
    const url = addressOf(await harness.succeeded(first));
    expect(await harness.stopLine()).toEqual([]);
    expect(await pageAt(url)).toBeNull();
    await harness.startLine();
    await serves(url, 'one');
    expect((await harness.intentsOf(first))[0]!.id).toBe(intent!.id);
    await expectNoOrphans(harness);
  });

  /** Pushes a page whose build takes some seconds, and does this while a step of it runs. */
  const duringBuild = async (page: string, disturb: () => unknown): Promise<IntentDetail> => {
    const sha = await repository.push({ ...app(page), Dockerfile: slowDockerfile(4) });
    await harness.building(sha, 'sleep');
    await disturb();
    return harness.succeeded(sha);
  };

  /** Pushes a page whose container listens after some seconds, and does this while it is waited for. */
  const duringRollout = async (page: string, disturb: () => unknown): Promise<IntentDetail> => {
    const late = { command: ['sh', '-c', 'busybox sleep 4; exec busybox httpd -f -p 8080 -h /www'] };
    const sha = await repository.push({ ...app(page), Dockerfile: commandDockerfile(late) });
    await harness.intent(sha, ({ rollouts }) => rollouts.some(({ stage }) => stage === 'starting'));
    await disturb();
    return harness.succeeded(sha);
  };

  const killProgram = (isIt: (argv: string[]) => boolean) => () => {
    const found = processesOf(harness.dataDir).filter(({ argv }) => isIt(argv));
    expect(found.length).toBeGreaterThan(0);
    for (const { pid } of found) process.kill(pid, 'SIGKILL');
  };
  const killBuildkitd = killProgram(([program = '']) => program.endsWith('buildkitd'));
  const killPodman = killProgram((argv) => argv[0] === 'podman' && argv.includes('service'));
  const killPostgres = killProgram((argv) => argv.includes('/proc/self/cwd'));

  it('survives a kill of the server in the middle of a build', async () => {
    const intent = await duringBuild('after server', () => harness.kill('server'));
    await landedOnce(intent, 'after server');
  });

  it('survives a kill of the server in the middle of a rollout', async () => {
    const intent = await duringRollout('after server again', () => harness.kill('server'));
    await landedOnce(intent, 'after server again');
  });

  it('survives a kill of PostgreSQL in the middle of a build', async () => {
    const intent = await duringBuild('after postgres', killPostgres);
    await landedOnce(intent, 'after postgres');
  });

  it('survives a kill of the agent in the middle of a build', async () => {
    const intent = await duringBuild('after agent', () => harness.kill('agent'));
    await landedOnce(intent, 'after agent');
  });

  it('survives a kill of the agent in the middle of a rollout', async () => {
    const intent = await duringRollout('after agent again', () => harness.kill('agent'));
    await landedOnce(intent, 'after agent again');
  });

  it('survives a kill of BuildKit in the middle of a build', async () => {
    const intent = await duringBuild('after buildkit', killBuildkitd);
    await landedOnce(intent, 'after buildkit');
  });

  it('survives a kill of Podman in the middle of a rollout', async () => {
    const intent = await duringRollout('after podman', killPodman);
    await landedOnce(intent, 'after podman');
  });

  it('starts containers again that were killed', async () => {
    const sha = await repository.git('rev-parse', 'HEAD');
    const intent = await harness.succeeded(sha);
    const killed = containerProcesses(harness.dataDir).map(({ pid }) => pid);
    expect(killed).not.toEqual([]);
    for (const pid of killed) process.kill(pid, 'SIGKILL');
    const others = () => containerProcesses(harness.dataDir).filter(({ pid }) => !killed.includes(pid));
    await eventually(() => (others().length === killed.length ? true : null), { what: 'others in their places' });
    await landedOnce(intent, 'after podman');
  });

  if (queue === 'Redis') {
    it('P19: an emptied Redis loses nothing of a build, and does nothing twice', async () => {
      const intent = await duringBuild('after flush', () => redis!.flush());
      await landedOnce(intent, 'after flush');
    });

    it('P19: an emptied Redis loses nothing of a rollout, and does nothing twice', async () => {
      const intent = await duringRollout('after flush again', () => redis!.flush());
      await landedOnce(intent, 'after flush again');
    });
  }

  /** A process that is killed while it tells GitHub holds up the others for 30 seconds: asked for all of them together. */
  it('told GitHub of each of these exactly once', async () => {
    expect(landed.length).toBeGreaterThan(8);
    // The first was deployed again since.
    for (const sha of landed.slice(1)) await expectToldOnce(harness, repository, sha);
  });
});

function hasAllocation({ rollouts }: IntentDetail): boolean {
  return rollouts.some(({ allocations }) => allocations.length > 0);
}

function urlsIn(text: string | null): string[] {
  return [...(text ?? '').matchAll(/https?:\/\/[^\s)>\]"'`]+/g)].map(([url]) => url);
}
