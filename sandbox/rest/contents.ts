/** Files and directories of a repository at a ref. */
import { posix } from 'node:path';
import type { components } from '@octokit/openapi-types';
import { findEntry, listTree, readBlob, type TreeEntry } from '../git/objects.ts';
import { resolveCommit } from '../git/refs.ts';
import { reading, repositoryOperation, type Answer, type RepositoryCall } from '../http/operation.ts';
import { notFound, Refusal } from '../http/refusal.ts';
import { repositoryApiUrl, repositoryPageUrl } from '../present/repository.ts';
import type { Repository } from '../state/model.ts';
import type { World } from '../world.ts';
import { wrapBase64 } from './git-data.ts';

type Schemas = components['schemas'];
type DirectoryItem = Schemas['content-directory'][number];

/** Larger files come only in the raw media type. */
const largestEncoded = 1024 * 1024;
const largest = 100 * 1024 * 1024;

const types: Readonly<Record<string, DirectoryItem['type']>> = {
  '040000': 'dir',
  '120000': 'symlink',
  '160000': 'submodule',
};

interface Place {
  readonly repository: Repository;
  readonly ref: string;
  readonly entry: TreeEntry;
}

function describe(world: World, { repository, ref, entry }: Place): DirectoryItem {
  const path = entry.path.split('/').map(encodeURIComponent).join('/');
  const page = repositoryPageUrl(world, repository);
  const self = `${repositoryApiUrl(world, repository)}/contents/${path}?ref=${encodeURIComponent(ref)}`;
  const isTree = entry.type === 'tree';
  const git = `${repositoryApiUrl(world, repository)}/git/${isTree ? 'trees' : 'blobs'}/${entry.sha}`;
  const html = `${page}/${isTree ? 'tree' : 'blob'}/${ref}/${path}`;
  return {
    type: types[entry.mode] ?? 'file',
    size: isTree ? 0 : entry.size,
    name: entry.path.slice(entry.path.lastIndexOf('/') + 1),
    path: entry.path,
    sha: entry.sha,
    url: self,
    git_url: git,
    html_url: html,
    download_url: isTree ? null : `${page}/raw/${ref}/${path}`,
    _links: { self, git, html },
  };
}

async function getDirectory(
  world: World,
  place: Omit<Place, 'entry'> & { sha: string; path: string },
): Promise<Answer> {
  const entries = await listTree(world.git.directory(place.repository.id), place.sha, place.path);
  return { status: 200, body: entries.map((entry) => describe(world, { ...place, entry })) };
}

async function getFile(world: World, place: Place, accept: string): Promise<Answer> {
  const { repository, entry } = place;
  if (entry.size > largest) throw new Refusal(403, 'This API returns blobs up to 100 MB in size.');
  const content = await readBlob(world.git.directory(repository.id), entry.sha);
  if (accept.includes('raw'))
    return {
      status: 200,
      body: content,
      headers: { 'content-type': 'application/vnd.github.raw+json; charset=utf-8' },
    };
  const shown = describe(world, place);
  if (shown.type === 'symlink') return { status: 200, body: { ...shown, target: content.toString() } };
  const encoded =
    entry.size > largestEncoded
      ? { content: '', encoding: 'none' }
      : { content: wrapBase64(content), encoding: 'base64' };
  return { status: 200, body: { ...shown, ...encoded } };
}

/** As GitHub does: a link to a normal file of the repository is that file, any other is shown as the link that it is. */
async function followLink(directory: string, sha: string, entry: TreeEntry): Promise<TreeEntry> {
  if (types[entry.mode] !== 'symlink') return entry;
  const target = (await readBlob(directory, entry.sha)).toString();
  const to = posix.join(posix.dirname(entry.path), target);
  if (posix.isAbsolute(target) || to.split('/').includes('..')) return entry;
  const found = await findEntry(directory, sha, to);
  return found?.type === 'blob' && types[found.mode] === undefined ? { ...found, path: entry.path } : entry;
}

async function getContent(call: RepositoryCall<'repos/get-content'>): Promise<Answer> {
  const { world, repository, params, query, accept } = call;
  const directory = world.git.directory(repository.id);
  const ref = query.ref ?? repository.defaultBranch;
  const sha = await resolveCommit(directory, ref);
  if (sha === null)
    throw query.ref === undefined
      ? new Refusal(404, 'This repository is empty.')
      : new Refusal(404, `No commit found for the ref ${ref}`);
  const path = params.path.replace(/^\/+|\/+$/g, '');
  if (path.split('/').includes('..')) throw notFound();
  if (path === '') return getDirectory(world, { repository, ref, sha, path });
  const found = await findEntry(directory, sha, path);
  if (found === null) throw notFound();
  const entry = await followLink(directory, sha, found);
  if (entry.type === 'tree') return getDirectory(world, { repository, ref, sha, path });
  if (entry.type === 'commit') throw new Refusal(422, 'The sandbox does not serve submodules.');
  return getFile(world, { repository, ref, entry }, accept);
}

export const contentOperations = [repositoryOperation('repos/get-content', reading('contents'), getContent)];
