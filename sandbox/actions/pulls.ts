/** Pull requests: opened, edited, reopened and merged, each with its webhook. */
import { commitTree, mergedTree, rebase, type Author } from '../git/write.ts';
import { branchPrefix, isAncestor, moveRef, pointRef } from '../git/refs.ts';
import { emailOf } from '../present/commit.ts';
import { isPull, presentPull, type PullIssue } from '../present/pull.ts';
import type { Repository, User } from '../state/model.ts';
import { emit } from '../webhooks/emit.ts';
import { fullName, owner, type World } from '../world.ts';
import { nextIssueNumber } from './issues.ts';
import { closePull, followPush } from './pushes.ts';

export interface NewPull {
  readonly repository: Repository;
  readonly author: User;
  readonly title: string;
  readonly body: string | null;
  readonly head: string;
  readonly base: string;
  readonly draft: boolean;
}

export type OpenPullResult =
  | { readonly kind: 'opened'; readonly issue: PullIssue }
  | { readonly kind: 'refused'; readonly field: 'head' | 'base'; readonly message: string };

export async function openPull(world: World, request: NewPull): Promise<OpenPullResult> {
  const { repository, head, base } = request;
  const refs = await world.git.refs(repository.id);
  const headRef = head.replace(new RegExp(`^${owner(world, repository).login}:`, 'i'), '');
  const [headSha, baseSha] = [refs.get(branchPrefix + headRef), refs.get(branchPrefix + base)];
  if (headSha === undefined) return { kind: 'refused', field: 'head', message: 'head is invalid' };
  if (baseSha === undefined) return { kind: 'refused', field: 'base', message: 'base is invalid' };
  if (await isAncestor(world.git.directory(repository.id), headSha, baseSha))
    return { kind: 'refused', field: 'base', message: `No commits between ${base} and ${headRef}` };
  if (findOpenPull(world, repository, { headRef, base }) !== undefined) {
    const label = `${owner(world, repository).login}:${headRef}`;
    return { kind: 'refused', field: 'head', message: `A pull request already exists for ${label}.` };
  }
  return { kind: 'opened', issue: await insertPull(world, request, { headRef, headSha, baseSha }) };
}

function findOpenPull(world: World, repository: Repository, { headRef, base }: { headRef: string; base: string }) {
  return world.tables.issues.first(
    ({ repositoryId, state, pull }) =>
      repositoryId === repository.id && state === 'open' && pull?.headRef === headRef && pull.baseRef === base,
  );
}

interface Heads {
  readonly headRef: string;
  readonly headSha: string;
  readonly baseSha: string;
}

async function insertPull(world: World, request: NewPull, heads: Heads): Promise<PullIssue> {
  const { repository, author, title, body, base, draft } = request;
  const now = world.now();
  const pull = { ...heads, headRepositoryId: repository.id, baseRef: base, draft, merged: null };
  const row = world.tables.issues.insert({
    repositoryId: repository.id,
    number: nextIssueNumber(world, repository),
    title,
    body,
    authorId: author.id,
    state: 'open',
    closedAt: null,
    createdAt: now,
    updatedAt: now,
    pull,
  });
  const issue = { ...row, pull };
  await pointRef(world.git.directory(repository.id), `refs/pull/${issue.number}/head`, heads.headSha);
  await emitPull(world, issue, { name: 'pull-request-opened', sender: author, extra: {} });
  return issue;
}

interface PullEvent {
  readonly name: 'pull-request-opened' | 'pull-request-reopened' | 'pull-request-edited';
  readonly sender: User;
  readonly extra: Readonly<Record<string, unknown>>;
}

async function emitPull(world: World, issue: PullIssue, { name, sender, extra }: PullEvent): Promise<void> {
  const repository = world.tables.repositories.get(issue.repositoryId);
  const subject = { number: issue.number, ...extra, pull_request: await presentPull(world, issue) };
  emit(world, { name, repository, sender, subject });
}

export interface PullEdit {
  readonly title?: string | undefined;
  readonly body?: string | null | undefined;
  readonly sender: User;
}

export async function editPull(world: World, issue: PullIssue, { title, body, sender }: PullEdit): Promise<PullIssue> {
  const changes = {
    ...(title === undefined || title === issue.title ? {} : { title: { from: issue.title } }),
    ...(body === undefined || body === issue.body ? {} : { body: { from: issue.body ?? '' } }),
  };
  if (Object.keys(changes).length === 0) return issue;
  const row = world.tables.issues.update(issue.id, {
    title: title ?? issue.title,
    body: body === undefined ? issue.body : body,
    updatedAt: world.now(),
  });
  const edited = { ...row, pull: issue.pull };
  await emitPull(world, edited, { name: 'pull-request-edited', sender, extra: { changes } });
  return edited;
}

export async function reopenPull(world: World, issue: PullIssue, sender: User): Promise<PullIssue> {
  const row = world.tables.issues.update(issue.id, { state: 'open', closedAt: null, updatedAt: world.now() });
  const reopened = { ...row, pull: issue.pull };
  await emitPull(world, reopened, { name: 'pull-request-reopened', sender, extra: {} });
  return reopened;
}

export interface Merge {
  readonly method: 'merge' | 'squash' | 'rebase';
  readonly title: string | undefined;
  readonly message: string | undefined;
  readonly sender: User;
}

/** The SHA that the base moved to, or `null` when the two conflict. */
export async function mergePull(world: World, issue: PullIssue, merge: Merge): Promise<string | null> {
  const repository = world.tables.repositories.get(issue.repositoryId);
  const { sender } = merge;
  return world.git.write(repository.id, {
    change: () => moveBase(world, issue.id, merge),
    follow: async (changes, sha) => {
      const current = world.tables.issues.get(issue.id);
      if (sha === null || !isPull(current)) return;
      await closePull(world, current, { sender, merged: { at: world.now(), byId: sender.id, sha } });
      await followPush(world, { repository, changes, sender });
    },
  });
}

/** Reads the pull request again: a push may have come before its turn. */
async function moveBase(world: World, issueId: number, merge: Merge): Promise<string | null> {
  const issue = world.tables.issues.get(issueId);
  if (!isPull(issue)) return null;
  const after = await mergeCommit(world, issue, merge);
  const { baseRef, baseSha: before } = issue.pull;
  const directory = world.git.directory(issue.repositoryId);
  if (after !== null) await moveRef(directory, { ref: branchPrefix + baseRef, before, after });
  return after;
}

async function mergeCommit(world: World, issue: PullIssue, merge: Merge): Promise<string | null> {
  const directory = world.git.directory(issue.repositoryId);
  const { baseSha, headSha, headRef } = issue.pull;
  const author: Author = { name: merge.sender.login, email: emailOf(merge.sender), at: world.now() };
  if (merge.method === 'rebase') return rebase(directory, { onto: baseSha, head: headSha, committer: author });
  const tree = await mergedTree(directory, baseSha, headSha);
  if (tree === null) return null;
  const repository = world.tables.repositories.get(issue.repositoryId);
  const from = `${fullName(world, repository).split('/')[0] ?? ''}/${headRef}`;
  const isSquash = merge.method === 'squash';
  const title =
    merge.title ??
    (isSquash ? `${issue.title} (#${issue.number})` : `Merge pull request #${issue.number} from ${from}`);
  const message = `${title}\n\n${merge.message ?? issue.title}\n`;
  return commitTree(directory, { tree, parents: isSquash ? [baseSha] : [baseSha, headSha], message, author });
}
