/** What follows from moved refs: activity, pull requests that follow their heads, and the webhooks that tell of it. */
import { branchPrefix, isAncestor, pointHead, pointRef, tagPrefix, zeroSha, type RefChange } from '../git/refs.ts';
import { isPull, presentPull, type PullIssue } from '../present/pull.ts';
import type { RefUpdate, Repository, User } from '../state/model.ts';
import { emit } from '../webhooks/emit.ts';
import { pushPayload, readMove, type PushShape } from '../webhooks/push.ts';
import type { World } from '../world.ts';
import { requestSuite } from './checks.ts';

/** GitHub sends no push events when more tags than this come at once. */
const mostTags = 3;

const activityKinds: Readonly<Record<PushShape, RefUpdate['kind']>> = {
  created: 'branch_creation',
  deleted: 'branch_deletion',
  forced: 'force_push',
  forward: 'push',
};

interface Context {
  readonly repository: Repository;
  readonly change: RefChange;
  readonly sender: User;
}

/** Call it with the changes of one push, after the refs have moved. */
export async function followPush(
  world: World,
  { repository, changes, sender }: { repository: Repository; changes: readonly RefChange[]; sender: User },
): Promise<void> {
  if (changes.length === 0) return;
  await adoptFirstBranch(world, repository, changes);
  const now = world.now();
  const pushed = world.tables.repositories.update(repository.id, { pushedAt: now, updatedAt: now });
  const tags = changes.filter(({ ref }) => ref.startsWith(tagPrefix));
  for (const change of changes) {
    const quiet = tags.length > mostTags && change.ref.startsWith(tagPrefix);
    if (!quiet) await followChange(world, { repository: pushed, change, sender });
  }
}

/** The first branch pushed to an empty repository becomes its default. */
async function adoptFirstBranch(world: World, repository: Repository, changes: readonly RefChange[]): Promise<void> {
  const refs = await world.git.refs(repository.id);
  if (refs.has(`${branchPrefix}${repository.defaultBranch}`)) return;
  const first = changes.find(({ ref, before }) => ref.startsWith(branchPrefix) && before === zeroSha);
  const hadBranches = [...refs.keys()].filter((ref) => ref.startsWith(branchPrefix)).length > changes.length;
  if (first === undefined || hadBranches) return;
  await pointHead(world.git.directory(repository.id), first.ref);
  world.tables.repositories.update(repository.id, { defaultBranch: first.ref.slice(branchPrefix.length) });
}

async function followChange(world: World, context: Context): Promise<void> {
  const { repository, change, sender } = context;
  const moved = await readMove(world, repository, change);
  const { shape } = moved;
  const isBranch = change.ref.startsWith(branchPrefix);
  if (isBranch) world.tables.refUpdates.insert(activity(world, context, shape));
  if (shape === 'created' || shape === 'deleted') emitRefEvent(world, context, shape);
  const subject = await pushPayload(world, { repository, moved, pusher: sender });
  emit(world, { name: 'push', repository, sender, subject });
  if (!isBranch) return;
  await followPulls(world, context, shape);
  if (shape !== 'deleted') await requestSuite(world, { repository, headSha: change.after, change, sender });
}

function activity(world: World, { repository, change, sender }: Context, shape: PushShape): Omit<RefUpdate, 'id'> {
  const { ref, before, after } = change;
  return {
    repositoryId: repository.id,
    ref,
    before,
    after,
    kind: activityKinds[shape],
    actorId: sender.id,
    at: world.now(),
  };
}

function emitRefEvent(world: World, { repository, change, sender }: Context, shape: 'created' | 'deleted'): void {
  const isBranch = change.ref.startsWith(branchPrefix);
  const subject = {
    ref: change.ref.slice(isBranch ? branchPrefix.length : tagPrefix.length),
    ref_type: isBranch ? 'branch' : 'tag',
    pusher_type: 'user',
    ...(shape === 'created' ? { master_branch: repository.defaultBranch, description: null } : {}),
  };
  emit(world, { name: shape === 'created' ? 'create' : 'delete', repository, sender, subject });
}

async function followPulls(world: World, context: Context, shape: PushShape): Promise<void> {
  const branch = context.change.ref.slice(branchPrefix.length);
  const open = world.tables.issues
    .filter(({ repositoryId, state }) => repositoryId === context.repository.id && state === 'open')
    .filter(isPull);
  for (const issue of open) {
    if (issue.pull.headRef === branch) await followHead(world, issue, { ...context, shape });
    else if (issue.pull.baseRef === branch) await followBase(world, issue, { ...context, shape });
  }
}

type ShapedContext = Context & { readonly shape: PushShape };

async function followHead(world: World, issue: PullIssue, { repository, change, sender, shape }: ShapedContext) {
  if (shape === 'deleted') {
    await closePull(world, issue, { sender, merged: null });
    return;
  }
  const updated = world.tables.issues.update(issue.id, {
    pull: { ...issue.pull, headSha: change.after },
    updatedAt: world.now(),
  });
  if (!isPull(updated)) return;
  await pointRef(world.git.directory(repository.id), `refs/pull/${issue.number}/head`, change.after);
  const subject = {
    number: issue.number,
    before: change.before,
    after: change.after,
    pull_request: await presentPull(world, updated),
  };
  emit(world, { name: 'pull-request-synchronize', repository, sender, subject });
}

/** A base that now holds the head has merged it; a base that is gone closes it. */
async function followBase(world: World, issue: PullIssue, { repository, change, sender, shape }: ShapedContext) {
  if (shape === 'deleted') {
    await closePull(world, issue, { sender, merged: null });
    return;
  }
  const merged = await isAncestor(world.git.directory(repository.id), issue.pull.headSha, change.after);
  if (merged)
    await closePull(world, issue, { sender, merged: { at: world.now(), byId: sender.id, sha: change.after } });
  else world.tables.issues.update(issue.id, { pull: { ...issue.pull, baseSha: change.after } });
}

export interface Closing {
  readonly sender: User;
  readonly merged: PullIssue['pull']['merged'];
}

export async function closePull(world: World, issue: PullIssue, { sender, merged }: Closing): Promise<PullIssue> {
  const now = world.now();
  const pull = { ...issue.pull, merged };
  const closed = {
    ...world.tables.issues.update(issue.id, { state: 'closed', closedAt: now, updatedAt: now, pull }),
    pull,
  };
  const repository = world.tables.repositories.get(issue.repositoryId);
  const subject = { number: issue.number, pull_request: await presentPull(world, closed) };
  emit(world, { name: 'pull-request-closed', repository, sender, subject });
  return closed;
}
