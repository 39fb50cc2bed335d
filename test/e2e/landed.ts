/** What must hold of a push that has landed, whatever happened on its way: everything once, nothing twice, nothing left. */
import { expect } from 'vitest';
import type { IntentDetail } from '../../core/contract/resources.ts';
import { eventually } from './eventually.ts';
import { addressOf, pageAt, type Harness } from './harness.ts';
import { containerProcesses } from './processes.ts';
import type { TestRepository } from './repository.ts';

/** Promise 1: the push ended in exactly one state, and what it made exists exactly once. */
export async function expectLandedOnce(
  harness: Harness,
  repository: TestRepository,
  { intent, page }: { intent: IntentDetail; page: string },
): Promise<void> {
  await eventually(async () => ((await pageAt(addressOf(intent))) === page ? true : null), {
    what: `the page ${page}`,
  });
  expect(intent.builds.map(({ status }) => status)).toEqual(['succeeded']);
  expect(intent.rollouts.map(({ stage }) => stage)).toEqual(['running']);
  expect(await harness.intentsOf(intent.sha)).toHaveLength(1);
  const report = await harness.github(repository, ({ checkRuns, deploymentStatuses, deployments }) => {
    const mine = deployments.filter(({ sha }) => sha === intent.sha);
    const done = checkRuns.filter(({ headSha, status }) => headSha === intent.sha && status === 'completed');
    return (
      done.length > 0 &&
      deploymentStatuses.some(
        ({ deploymentId, state }) => state === 'success' && mine.some(({ id }) => id === deploymentId),
      )
    );
  });
  const deployments = report.deployments.filter(({ sha }) => sha === intent.sha);
  expect(deployments).toHaveLength(1);
  const states = report.deploymentStatuses.filter(({ deploymentId }) => deploymentId === deployments[0]!.id);
  expect(states.filter(({ state }) => state === 'success')).toHaveLength(1);
  expect(report.checkRuns.filter(({ headSha }) => headSha === intent.sha)).toMatchObject([{ conclusion: 'success' }]);
  await expectNoOrphans(harness);
}

/** As many containers run as allocations are to run; and of every service only those of the release that serves. */
export async function expectNoOrphans(harness: Harness): Promise<void> {
  const wanted = await harness.rows<{ serviceId: string; releases: number; replicas: number }>(
    `SELECT "serviceId", count(DISTINCT "releaseId")::int AS releases, count(*)::int AS replicas
     FROM "Allocation" WHERE desired = 'running' GROUP BY "serviceId"`,
  );
  expect(wanted.filter(({ releases }) => releases !== 1)).toEqual([]);
  const count = wanted.reduce((sum, { replicas }) => sum + replicas, 0);
  const running = (): string[] => containerProcesses(harness.dataDir).map(({ argv }) => argv.join(' '));
  await eventually(() => (running().length === count ? true : null), {
    what: `${count} containers, no more and no fewer`,
    lastSeen: running,
  });
}
