import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { git, refusal, tokenOctokit, valueAt } from '../testing/harness.ts';
import { useStage } from '../testing/use-stage.ts';

const stage = useStage();
let main: string;
const repo = () => ({ owner: stage.owner, repo: stage.repo });

beforeAll(async () => {
  main = (await stage.octokit.rest.repos.getBranch({ ...repo(), branch: 'main' })).data.commit.sha;
});

describe('contents', () => {
  const content = (path: string, ref?: string) =>
    stage.octokit.rest.repos.getContent({ ...repo(), path, ...(ref === undefined ? {} : { ref }) });

  it('come encoded, raw, and as a listing', async () => {
    const { data } = await content('src/index.js', 'main');
    expect(data).toMatchObject({ type: 'file', encoding: 'base64', name: 'index.js', path: 'src/index.js' });
    expect(Buffer.from((data as { content: string }).content, 'base64').toString()).toBe('console.log("hello");\n');
    const raw = await stage.octokit.rest.repos.getContent({
      ...repo(),
      path: 'README.md',
      mediaType: { format: 'raw' },
    });
    expect(raw.data).toBe('# shop\n');
    const root = await content('');
    expect(root.data).toMatchObject([
      { type: 'file', name: 'README.md' },
      { type: 'dir', name: 'src' },
    ]);
  });

  it('of a symbolic link are those of the file that it leads to, else the link itself', async () => {
    const { url } = await stage.sandbox.pushToken({ repositoryId: stage.repositoryId });
    const clone = join(stage.folder, 'links');
    await git(stage.folder, 'clone', '--quiet', url, clone);
    const links = { 'src/file': 'index.js', file: './src/index.js', folder: 'src', out: '../x', root: '/etc/hosts' };
    for (const [path, target] of Object.entries(links)) await symlink(target, join(clone, path));
    await git(clone, 'add', '.');
    await git(clone, 'commit', '--quiet', '-m', 'Link');
    await git(clone, 'push', '--quiet', 'origin', 'HEAD:links');
    for (const path of ['file', 'src/file'])
      expect((await content(path, 'links')).data).toMatchObject({ type: 'file', path, size: 22 });
    for (const path of ['folder', 'out', 'root'])
      expect((await content(path, 'links')).data).toMatchObject({
        type: 'symlink',
        path,
        target: links[path as 'out'],
      });
  });

  it('are 404 for what is not there, and never leave the repository', async () => {
    for (const path of ['missing.txt', '../../state.json', 'src/../../x', ':(top)README.md', '--help'])
      expect(await refusal(content(path))).toMatchObject({ status: 404 });
    expect(await refusal(content('README.md', 'nowhere'))).toMatchObject({ status: 404 });
  });
});

describe('refs, commits and comparisons', () => {
  it('answer for names with slashes', async () => {
    const { sandbox, repositoryId, octokit } = stage;
    const files = { 'b.txt': 'b' };
    const { sha } = await sandbox.commit({
      repositoryId,
      branch: 'fix/a/b',
      author: 'ada',
      message: 'Fix\n\nLong',
      files,
    });
    expect((await octokit.rest.git.getRef({ ...repo(), ref: 'heads/fix/a/b' })).data.object.sha).toBe(sha);
    expect((await octokit.rest.repos.getBranch({ ...repo(), branch: 'fix/a/b' })).data.name).toBe('fix/a/b');
    const commit = await octokit.rest.repos.getCommit({ ...repo(), ref: 'fix/a/b' });
    expect(commit.data).toMatchObject({ sha, parents: [{ sha: main }], author: { login: 'ada' }, stats: { total: 1 } });
    const status = await octokit.rest.repos.getCombinedStatusForRef({ ...repo(), ref: 'fix/a/b' });
    expect(status.data).toMatchObject({ sha, state: 'pending', total_count: 0 });
    const compared = await octokit.rest.repos.compareCommitsWithBasehead({ ...repo(), basehead: 'main...fix/a/b' });
    expect(compared.data).toMatchObject({ status: 'ahead', ahead_by: 1, behind_by: 0, files: [{ filename: 'b.txt' }] });
    const back = await octokit.rest.repos.compareCommitsWithBasehead({ ...repo(), basehead: 'fix/a/b...main' });
    expect(back.data).toMatchObject({ status: 'behind', ahead_by: 0, behind_by: 1 });
    const matching = await octokit.rest.git.listMatchingRefs({ ...repo(), ref: 'heads/fix' });
    expect(matching.data.map(({ ref }) => ref)).toEqual(['refs/heads/fix/a/b']);
  });

  it('list commits page by page and path by path', async () => {
    const { sandbox, repositoryId, octokit } = stage;
    for (const n of [1, 2, 3])
      await sandbox.commit({
        repositoryId,
        branch: 'log',
        author: 'ada',
        message: `c${n}`,
        files: { 'log.txt': `${n}` },
      });
    const query = { ...repo(), sha: 'log', per_page: 3 };
    const all = await octokit.paginate(octokit.rest.repos.listCommits, query);
    expect(all.map(({ commit }) => commit.message)).toEqual(['c3', 'c2', 'c1', 'Initial commit']);
    const touched = await octokit.rest.repos.listCommits({ ...repo(), sha: 'log', path: 'log.txt' });
    expect(touched.data).toHaveLength(3);
  });

  it('give trees, blobs and git commits by SHA', async () => {
    const { octokit } = stage;
    const tree = await octokit.rest.git.getTree({ ...repo(), tree_sha: main, recursive: '1' });
    expect(tree.data.tree.map(({ path }) => path)).toEqual(['README.md', 'src', 'src/index.js']);
    const blob = await octokit.rest.git.getBlob({ ...repo(), file_sha: tree.data.tree[0]!.sha });
    expect(Buffer.from(blob.data.content, 'base64').toString()).toBe('# shop\n');
    expect((await octokit.rest.git.getCommit({ ...repo(), commit_sha: main })).data.message).toBe('Initial commit');
    expect(await refusal(octokit.rest.git.getCommit({ ...repo(), commit_sha: 'f'.repeat(40) }))).toMatchObject({
      status: 404,
    });
  });
});

it('lists who moved which branch, forced or not', async () => {
  const { sandbox, repositoryId, octokit } = stage;
  const at = { repositoryId, branch: 'activity', author: 'ada', message: 'm' };
  const first = await sandbox.commit({ ...at, files: { a: '1' } });
  const second = await sandbox.commit({ ...at, files: { a: '2' } });
  const owner = tokenOctokit(sandbox, (await sandbox.userToken({ login: 'acme' })).token);
  await owner.rest.git.updateRef({ ...repo(), ref: 'heads/activity', sha: first.sha, force: true });
  const { data } = await octokit.rest.repos.listActivities({ ...repo(), ref: 'activity' });
  expect(data.map(({ activity_type, after, actor }) => [activity_type, after, actor?.login])).toEqual([
    ['force_push', first.sha, 'acme'],
    ['push', second.sha, 'ada'],
    ['branch_creation', first.sha, 'ada'],
  ]);
  const page = await octokit.rest.repos.listActivities({ ...repo(), ref: 'activity', per_page: 1 });
  expect(page.headers.link).toContain('rel="next"');
  const all = await octokit.paginate(octokit.rest.repos.listActivities, { ...repo(), ref: 'activity', per_page: 1 });
  expect(all).toHaveLength(3);
});

describe('P47: a renamed repository', () => {
  it('is redirected by GET, followed by POST, and known by its id', async () => {
    const { sandbox, octokit } = stage;
    const { id } = await sandbox.createRepository({ owner: 'acme', name: 'old-name', files: { a: 'a' } });
    await sandbox.renameRepository({ repositoryId: id, name: 'new-name' });
    const old = { owner: 'acme', repo: 'old-name' };
    const manual = { request: { redirect: 'manual' as const } };
    const moved = await octokit.rest.repos.get({ ...old, ...manual });
    expect(moved.status as number).toBe(301);
    expect(moved.headers.location).toBe(`${sandbox.apiUrl}/repositories/${id}`);
    expect((await octokit.rest.repos.get(old)).data.full_name).toBe('acme/new-name');
    const deployed = await octokit.rest.repos.createDeployment({ ...old, ref: 'main' });
    expect(deployed.status).toBe(201);
    const byId = await octokit.request('GET /repositories/{id}/deployments', { id });
    expect(byId.data).toHaveLength(1);
    await sandbox.deliveries.idle();
    const told = stage.receiver.named('repository.renamed')[0]!.payload;
    expect(told).toMatchObject({
      repository: { id, name: 'new-name' },
      changes: { repository: { name: { from: 'old-name' } } },
    });
  });

  it('loses its old name to a new repository', async () => {
    const { sandbox, octokit } = stage;
    const fresh = await sandbox.createRepository({ owner: 'acme', name: 'old-name' });
    expect((await octokit.rest.repos.get({ owner: 'acme', repo: 'old-name' })).data.id).toBe(fresh.id);
  });

  it('that is transferred or deleted leaves its installation', async () => {
    const { sandbox, octokit, receiver } = stage;
    const { id } = await sandbox.createRepository({ owner: 'acme', name: 'moving' });
    await sandbox.createRepository({ owner: 'globex', name: 'home' });
    await sandbox.transferRepository({ repositoryId: id, owner: 'globex' });
    expect(await refusal(octokit.rest.repos.get({ owner: 'acme', repo: 'moving' }))).toMatchObject({ status: 404 });
    await sandbox.deleteRepository({ repositoryId: id });
    await sandbox.deliveries.idle();
    const transferred = receiver.named('repository.transferred')[0]!.payload;
    expect(transferred).toMatchObject({
      repository: { id, full_name: 'globex/moving' },
      changes: { owner: { from: { user: { login: 'acme' } } } },
    });
    expect(receiver.named('repository.deleted')[0]!.payload.repository.id).toBe(id);
    const removed = receiver
      .named('installation_repositories.removed')
      .flatMap((each) => valueAt(each, 'repositories_removed') as { id: number }[]);
    expect(removed.filter((each) => each.id === id)).toHaveLength(2);
  });
});

it('answers 304 to the tag it gave', async () => {
  const { octokit } = stage;
  const { headers } = await octokit.rest.repos.get(repo());
  const again = octokit.rest.repos.get({ ...repo(), headers: { 'if-none-match': headers.etag! } });
  expect(await refusal(again)).toMatchObject({ status: 304 });
});

it('says so when it does not serve something', async () => {
  const { status, data } = await refusal(stage.octokit.request('GET /repos/acme/shop/milestones'));
  expect(status).toBe(404);
  expect(data.message).toContain('the sandbox does not serve GET /repos/acme/shop/milestones');
});
