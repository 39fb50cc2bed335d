/** Refs, commits, trees and blobs as git has them. */
import type { components } from '@octokit/openapi-types';
import { followPush } from '../actions/pushes.ts';
import { readCommit } from '../git/commits.ts';
import { listTree, listTreeRecursive, objectType, readBlob } from '../git/objects.ts';
import { isAncestor, moveRef, resolveCommit, zeroSha } from '../git/refs.ts';
import { reading, repositoryOperation, writing, type Answer, type RepositoryCall } from '../http/operation.ts';
import { notFound, Refusal } from '../http/refusal.ts';
import { presentGitCommit, presentRef } from '../present/commit.ts';
import { repositoryApiUrl } from '../present/repository.ts';
import { nodeId } from '../present/time.ts';
import type { Repository, User } from '../state/model.ts';
import type { World } from '../world.ts';

type Schemas = components['schemas'];

async function describeRef(
  world: World,
  repository: Repository,
  ref: string,
  sha: string,
): Promise<Schemas['git-ref']> {
  const type = (await objectType(world.git.directory(repository.id), sha)) ?? 'commit';
  return presentRef(world, repository, { ref, sha, type });
}

async function getRef({ world, repository, params }: RepositoryCall<'git/get-ref'>): Promise<Answer> {
  const ref = `refs/${params.ref.replace(/^refs\//, '')}`;
  const sha = (await world.git.refs(repository.id)).get(ref);
  if (sha === undefined) throw notFound();
  return { status: 200, body: await describeRef(world, repository, ref, sha) };
}

async function matchingRefs({ world, repository, params }: RepositoryCall<'git/list-matching-refs'>): Promise<Answer> {
  const prefix = `refs/${params.ref.replace(/^refs\//, '')}`;
  const found = [...(await world.git.refs(repository.id))].filter(([ref]) => ref.startsWith(prefix));
  const body = await Promise.all(found.map(([ref, sha]) => describeRef(world, repository, ref, sha)));
  return { status: 200, body };
}

interface Move {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  readonly sender: User;
}

async function move(world: World, repository: Repository, { ref, before, after, sender }: Move): Promise<void> {
  const directory = world.git.directory(repository.id);
  await world.git.write(repository.id, {
    change: () => moveRef(directory, { ref, before, after }),
    follow: (changes) => followPush(world, { repository, changes, sender }),
  });
}

async function createRef({ world, repository, actor, body }: RepositoryCall<'git/create-ref'>): Promise<Answer> {
  const { ref, sha } = body;
  if (!/^refs\/[^/]+\/.+/.test(ref))
    throw new Refusal(422, 'Reference name must start with refs/ and name a branch or tag');
  if ((await world.git.refs(repository.id)).has(ref)) throw new Refusal(422, 'Reference already exists');
  if ((await objectType(world.git.directory(repository.id), sha)) === null)
    throw new Refusal(422, 'Object does not exist');
  await move(world, repository, { ref, before: zeroSha, after: sha, sender: actor.user });
  return { status: 201, body: await describeRef(world, repository, ref, sha) };
}

async function updateRef({
  world,
  repository,
  actor,
  params,
  body,
}: RepositoryCall<'git/update-ref'>): Promise<Answer> {
  const ref = `refs/${params.ref}`;
  const before = (await world.git.refs(repository.id)).get(ref);
  if (before === undefined) throw new Refusal(422, 'Reference does not exist');
  const directory = world.git.directory(repository.id);
  if ((await objectType(directory, body.sha)) === null) throw new Refusal(422, 'Object does not exist');
  if (body.force !== true && !(await isAncestor(directory, before, body.sha)))
    throw new Refusal(422, 'Update is not a fast forward');
  await move(world, repository, { ref, before, after: body.sha, sender: actor.user });
  return { status: 200, body: await describeRef(world, repository, ref, body.sha) };
}

async function deleteRef({ world, repository, actor, params }: RepositoryCall<'git/delete-ref'>): Promise<Answer> {
  const ref = `refs/${params.ref}`;
  const before = (await world.git.refs(repository.id)).get(ref);
  if (before === undefined) throw new Refusal(422, 'Reference does not exist');
  await move(world, repository, { ref, before, after: zeroSha, sender: actor.user });
  return { status: 204 };
}

async function getCommit({ world, repository, params }: RepositoryCall<'git/get-commit'>): Promise<Answer> {
  const directory = world.git.directory(repository.id);
  if (!/^[0-9a-f]{40}$/.test(params.commit_sha) || (await objectType(directory, params.commit_sha)) !== 'commit')
    throw notFound();
  const commit = await readCommit(directory, params.commit_sha);
  return { status: 200, body: presentGitCommit(world, repository, commit) };
}

async function getTree({ world, repository, params, query }: RepositoryCall<'git/get-tree'>): Promise<Answer> {
  const directory = world.git.directory(repository.id);
  const isTree = /^[0-9a-f]{40}$/.test(params.tree_sha) && (await objectType(directory, params.tree_sha)) === 'tree';
  const sha = isTree ? params.tree_sha : await resolveCommit(directory, params.tree_sha);
  if (sha === null) throw notFound();
  const entries =
    query.recursive === undefined ? await listTree(directory, sha, '') : await listTreeRecursive(directory, sha);
  const api = repositoryApiUrl(world, repository);
  const tree = entries.map((entry) => ({
    path: entry.path,
    mode: entry.mode,
    type: entry.type,
    sha: entry.sha,
    url: `${api}/git/${entry.type}s/${entry.sha}`,
    ...(entry.type === 'blob' ? { size: entry.size } : {}),
  }));
  return { status: 200, body: { sha, url: `${api}/git/trees/${sha}`, tree, truncated: false } };
}

async function getBlob({ world, repository, params, accept }: RepositoryCall<'git/get-blob'>): Promise<Answer> {
  const directory = world.git.directory(repository.id);
  const sha = params.file_sha;
  if (!/^[0-9a-f]{40}$/.test(sha) || (await objectType(directory, sha)) !== 'blob') throw notFound();
  const content = await readBlob(directory, sha);
  if (accept.includes('raw')) return { status: 200, body: content };
  const body: Schemas['blob'] = {
    sha,
    node_id: nodeId('Blob', sha),
    size: content.length,
    url: `${repositoryApiUrl(world, repository)}/git/blobs/${sha}`,
    content: wrapBase64(content),
    encoding: 'base64',
  };
  return { status: 200, body };
}

/** GitHub breaks base64 at 60 characters. */
export function wrapBase64(content: Buffer): string {
  return content.toString('base64').replace(/(.{60})/g, '$1\n') + '\n';
}

export const gitDataOperations = [
  repositoryOperation('git/get-ref', reading('contents'), getRef),
  repositoryOperation('git/list-matching-refs', reading('contents'), matchingRefs),
  repositoryOperation('git/create-ref', writing('contents'), createRef),
  repositoryOperation('git/update-ref', writing('contents'), updateRef),
  repositoryOperation('git/delete-ref', writing('contents'), deleteRef),
  repositoryOperation('git/get-commit', reading('contents'), getCommit),
  repositoryOperation('git/get-tree', reading('contents'), getTree),
  repositoryOperation('git/get-blob', reading('contents'), getBlob),
];
