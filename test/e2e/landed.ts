/** What must hold of a push that has landed, whatever happened on its way: everything once, nothing twice, nothing left. */
import { expect } from 'vitest';
import type { IntentDetail } from '../../core/contract/resources/intents.ts';
import { eventually } from './eventually.ts';
import { addressOf, pageAt, type Harness, type Report } from './harness.ts';
import { containerProcesses } from './processes.ts';
import type { TestRepository } from './repository.ts';

/** Promise 1: the push ended in exactly one state, and what it made exists exactly once. */
export async function expectLandedOnce(harness: Harness, intent: IntentDetail, page: string): Promise<void> {
  await eventually(async () => ((await pageAt(addressOf(intent))) === page ? true : null), {
    what: `the page ${page}`,
  });
  expect(intent.builds.map(({ status }) => status)).toEqual(['succeeded']);
  expect(intent.rollouts.map(({ stage }) => stage)).toEqual(['running']);
  expect(await harness.intentsOf(intent.sha)).toHaveLength(1);
  await expectNoOrphans(harness);
}

/**
 * GitHub was told of one deployment and one check run of this commit, and how they ended. A success that a newer one took the place
 * of before GitHub would hear of it is told as inactive at once.
 */
export async function expectToldOnce(harness: Harness, repository: TestRepository, sha: string): Promise<void> {
  const told = (report: Report) => {
    const deployments = report.deployments.filter((one) => one.sha === sha);
    const ids = deployments.map(({ id }) => id);
    const statuses = report.deploymentStatuses.filter(({ deploymentId }) => ids.includes(deploymentId));
    const checkRuns = report.checkRuns.filter(({ headSha }) => headSha === sha);
    return { deployments, states: statuses.map(({ state }) => state), checkRuns };
  };
  const report = await harness.github(repository, (now) => {
    const { states, checkRuns } = told(now);
    return /success|inactive/.test(states.at(-1) ?? '') && checkRuns.every(({ status }) => status === 'completed');
  });
  const { deployments, states, checkRuns } = told(report);
  expect(deployments).toHaveLength(1);
  expect(['success', 'success inactive', 'inactive']).toContain(
    states.filter((one) => one !== 'in_progress').join(' '),
  );
  expect(checkRuns).toMatchObject([{ conclusion: 'success' }]);
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
