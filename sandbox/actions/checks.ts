/** Check suites and runs: made, changed and asked for again, each with its webhook. */
import { readCommit } from '../git/commits.ts';
import type { RefChange } from '../git/refs.ts';
import { presentSimpleCommit } from '../present/commit.ts';
import { presentCheckRunEvent, presentSuiteEvent } from '../present/check.ts';
import type { CheckRun, CheckSuite, Repository, User } from '../state/model.ts';
import { emit } from '../webhooks/emit.ts';
import type { World } from '../world.ts';

export interface SuiteRequest {
  readonly repository: Repository;
  readonly headSha: string;
  readonly change: RefChange;
  readonly sender: User;
}

export function findSuite(world: World, repository: Repository, headSha: string): CheckSuite | undefined {
  return world.tables.checkSuites.first((suite) => suite.repositoryId === repository.id && suite.headSha === headSha);
}

/** A push asks the App for checks of its new head. */
export async function requestSuite(world: World, { repository, headSha, change, sender }: SuiteRequest): Promise<void> {
  if (findSuite(world, repository, headSha) !== undefined) return;
  const suite = world.tables.checkSuites.insert({
    repositoryId: repository.id,
    headSha,
    headBranch: change.ref.replace('refs/heads/', ''),
    before: change.before,
    createdAt: world.now(),
  });
  await emitSuite(world, suite, { name: 'check-suite-requested', sender });
}

export async function emitSuite(
  world: World,
  suite: CheckSuite,
  { name, sender }: { name: 'check-suite-requested' | 'check-suite-rerequested'; sender: User },
): Promise<void> {
  const repository = world.tables.repositories.get(suite.repositoryId);
  const commit = await readCommit(world.git.directory(repository.id), suite.headSha);
  const subject = { check_suite: presentSuiteEvent(world, suite, presentSimpleCommit(commit)) };
  emit(world, { name, repository, sender, subject });
}

export function suiteFor(world: World, repository: Repository, headSha: string): CheckSuite {
  const known = findSuite(world, repository, headSha);
  if (known !== undefined) return known;
  return world.tables.checkSuites.insert({
    repositoryId: repository.id,
    headSha,
    headBranch: null,
    before: null,
    createdAt: world.now(),
  });
}

type RunEvent = 'check-run-created' | 'check-run-completed' | 'check-run-rerequested';

export function emitRun(world: World, run: CheckRun, { name, sender }: { name: RunEvent; sender: User }): void {
  const repository = world.tables.repositories.get(run.repositoryId);
  emit(world, { name, repository, sender, subject: { check_run: presentCheckRunEvent(world, run) } });
}

/** Somebody pressed Re-run: the suite starts over as queued, and the App is told. What becomes of the run itself is the App's to say. */
export function rerequestRun(world: World, run: CheckRun, sender: User): CheckRun {
  world.tables.checkSuites.update(run.suiteId, { rerequested: true });
  emitRun(world, run, { name: 'check-run-rerequested', sender });
  return run;
}

/** The same for all runs at once. */
export async function resetSuite(world: World, suite: CheckSuite, sender: User): Promise<void> {
  const reset = world.tables.checkSuites.update(suite.id, { rerequested: true });
  await emitSuite(world, reset, { name: 'check-suite-rerequested', sender });
}

/** The App made or changed a run of it: the suite is what its runs are. */
export function noteAnswer(world: World, suiteId: number): void {
  if (world.tables.checkSuites.get(suiteId).rerequested === true)
    world.tables.checkSuites.update(suiteId, { rerequested: false });
}

/** Somebody pressed one of the run's own buttons; `false` when it has no such button. */
export function requestAction(
  world: World,
  run: CheckRun,
  { identifier, sender }: { identifier: string; sender: User },
): boolean {
  if (!run.actions.some((action) => action.identifier === identifier)) return false;
  const repository = world.tables.repositories.get(run.repositoryId);
  const subject = { check_run: presentCheckRunEvent(world, run), requested_action: { identifier } };
  emit(world, { name: 'check-run-requested-action', repository, sender, subject });
  return true;
}
