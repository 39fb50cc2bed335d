/** Keeps what is known of a repository as GitHub has it, whatever the order in which its deliveries come. */
import { exclusionNews, inclusionNews, type KnownRepository } from '../../core/delivery/news.ts';
import { IgnoredError, StalledError } from '../../platform/errors/errors.ts';
import { fetchRepository } from '../../platform/github/branches.ts';
import { includesRepository } from '../../platform/github/installations.ts';
import {
  findRepositories,
  findRepository,
  insertRepositories,
  replaceRepository,
  unfinishedBuildsOf,
  type RepositoryAnswer,
  type RepositoryFacts,
  type RepositoryState,
} from '../../prisma/store/repositories.ts';
import type { HandlerDeps, ReceivedEvent } from '../deps.ts';
import { wakeBuilds } from '../deploy/wake.ts';
import { doubtAnswer, maxRounds } from './doubt.ts';

/** What a delivery tells of a repository. The installation is known here. */
export interface ToldRepository {
  facts: RepositoryFacts;
  /** Whether the installation includes it; otherwise it may belong to another by now. */
  included: boolean;
}

/** What is known of it; what is told when nothing was. Throws IgnoredError when it was deleted here meanwhile. */
export async function meetRepository({ database }: HandlerDeps, facts: RepositoryFacts): Promise<RepositoryState> {
  const known = await findRepository(database.db, facts.id);
  if (known !== null) return known;
  await insertRepositories(database.db, [facts]);
  return stateOf({ database }, facts.id);
}

/** How it stands: as is known when that is what is told, else as GitHub says. Throws WaitingError while GitHub may be behind. */
export async function learnRepository(
  deps: HandlerDeps,
  event: ReceivedEvent,
  { told, met }: { told: ToldRepository; met: RepositoryState },
): Promise<RepositoryState> {
  let known = met;
  for (let round = 0; round < maxRounds; round++) {
    if (newsOf(told, known) !== 'ask_github') return known;
    const answer = await askGithub(deps, told);
    if (answer.included !== told.included) doubtAnswer(deps, event);
    const isWritten = await writeAnswer(deps, { known, told, answer });
    known = await stateOf(deps, known.id);
    if (isWritten) return known;
  }
  throw new Error(`The repository ${known.id} changed ${maxRounds} times while GitHub was asked about it.`);
}

/** Those that an installation lists: of most nothing is known yet when it is new. */
export async function learnRepositories(
  deps: HandlerDeps,
  event: ReceivedEvent,
  told: readonly ToldRepository[],
): Promise<void> {
  const { db } = deps.database;
  for (const included of [true, false]) {
    const facts = told.filter((each) => each.included === included).map((each) => each.facts);
    await insertRepositories(db, facts, { removedAt: included ? null : deps.now() });
  }
  const byId = new Map(told.map((each) => [each.facts.id, each]));
  for (const met of await findRepositories(db, [...byId.keys()])) {
    const each = byId.get(met.id);
    if (each !== undefined) await learnRepository(deps, event, { told: each, met });
  }
}

function newsOf({ facts, included }: ToldRepository, known: RepositoryState) {
  const { installation, ...names } = known;
  const view: KnownRepository = {
    ...names,
    installationId: installation.id,
    installationRemoved: installation.removed,
  };
  return included ? inclusionNews(facts, view) : exclusionNews(facts, view);
}

async function stateOf({ database }: Pick<HandlerDeps, 'database'>, id: number): Promise<RepositoryState> {
  const state = await findRepository(database.db, id);
  if (state === null) throw new IgnoredError('subject_gone', `The repository ${id} was deleted here.`);
  return state;
}

async function askGithub(deps: HandlerDeps, { facts, included }: ToldRepository): Promise<RepositoryAnswer> {
  const askedAt = deps.now();
  try {
    const seen = await fetchIncluded(deps, facts);
    return seen === null ? { askedAt, included: false } : { askedAt, included: true, facts: seen };
  } catch (error) {
    if (error instanceof IgnoredError) return { askedAt, included: false };
    // Of a suspended installation nothing can be asked: it is taken as it is told.
    if (!(error instanceof StalledError && error.code === 'installation_suspended')) throw error;
    return included ? { askedAt, included, facts } : { askedAt, included };
  }
}

/** Null when the installation does not include it. */
async function fetchIncluded(
  { github }: HandlerDeps,
  { id: repositoryId, installationId }: RepositoryFacts,
): Promise<RepositoryFacts | null> {
  const seen = await fetchRepository(await github.forInstallation(installationId), repositoryId);
  if (seen === null) return null;
  // A private one is seen by those that include it, a public one by everybody.
  const isIncluded = seen.private || (await includesRepository(github.asApp(), { installationId, repositoryId }));
  return isIncluded ? { ...seen, installationId } : null;
}

/** False when somebody else wrote meanwhile. */
async function writeAnswer(
  deps: HandlerDeps,
  { known, told, answer }: { known: RepositoryState; told: ToldRepository; answer: RepositoryAnswer },
): Promise<boolean> {
  // It is known to belong to another installation, and about that one GitHub was not asked.
  if (!answer.included && told.facts.installationId !== known.installation.id) return true;
  const { db } = deps.database;
  if (!(await replaceRepository(db, known, answer))) return false;
  // Builds of what is gone end with that; what runs of it runs on.
  if (!answer.included) await wakeBuilds(deps, await unfinishedBuildsOf(db, [known.id]));
  return true;
}
