import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { git, tokenOctokit } from '../testing/harness.ts';
import { useStage } from '../testing/use-stage.ts';
import { zeroSha } from './refs.ts';

const stage = useStage();
let clone: string;

beforeAll(async () => {
  const { url } = await stage.sandbox.pushToken({ repositoryId: stage.repositoryId });
  clone = join(stage.folder, 'clone');
  await git(stage.folder, 'clone', '--quiet', url, clone);
});

beforeEach(() => {
  stage.receiver.received.length = 0;
});

async function installationToken(permissions?: Record<string, string>): Promise<string> {
  const auth = (await stage.octokit.auth({ type: 'installation', permissions, refresh: true })) as { token: string };
  return auth.token;
}

function cloneUrl(user: string, password: string): string {
  const url = new URL(`${stage.sandbox.url}/acme/shop.git`);
  url.username = user;
  url.password = password;
  return url.href;
}

async function commit(file: string, content: string): Promise<string> {
  await mkdir(join(clone, file, '..'), { recursive: true });
  await writeFile(join(clone, file), content);
  await git(clone, 'add', '.');
  await git(clone, 'commit', '--quiet', '-m', `Write ${file}`);
  return git(clone, 'rev-parse', 'HEAD');
}

async function pushed(): Promise<Record<string, unknown>[]> {
  await stage.sandbox.deliveries.idle();
  return stage.receiver.named('push').map((each) => each.payload as Record<string, unknown>);
}

describe('fetching', () => {
  it('works with an installation token that reads contents, at an exact SHA', async () => {
    const url = cloneUrl('x-access-token', await installationToken({ contents: 'read' }));
    const target = join(stage.folder, 'fetched');
    await git(stage.folder, 'init', '--quiet', target);
    const head = await git(clone, 'rev-parse', 'HEAD');
    await git(target, 'fetch', '--quiet', '--depth=1', url, head);
    expect(await git(target, 'rev-parse', 'FETCH_HEAD')).toBe(head);
  });

  it('is refused without, with a wrong, and with a revoked token', async () => {
    const token = await installationToken();
    await tokenOctokit(stage.sandbox, token).rest.apps.revokeInstallationAccessToken();
    const urls = [
      `${stage.sandbox.url}/acme/shop.git`,
      cloneUrl('x-access-token', 'ghs_x'),
      cloneUrl('x-access-token', token),
    ];
    for (const url of urls)
      await expect(git(stage.folder, 'ls-remote', url)).rejects.toThrow(/Authentication|could not read/);
    const answer = await fetch(`${stage.sandbox.url}/acme/shop.git/info/refs?service=git-upload-pack`);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Basic realm="GitHub"');
  });

  it('is refused to a token that does not read contents, and hides the repository from strangers', async () => {
    const blind = cloneUrl('x-access-token', await installationToken({ issues: 'read' }));
    await expect(git(stage.folder, 'ls-remote', blind)).rejects.toThrow(/403/);
    await stage.sandbox.createRepository({ owner: 'stranger', name: 'own' });
    const { token } = await stage.sandbox.userToken({ login: 'stranger' });
    await expect(git(stage.folder, 'ls-remote', cloneUrl('stranger', token))).rejects.toThrow(/not found/);
  });

  it('needs no token for a public repository', async () => {
    await stage.sandbox.createRepository({ owner: 'acme', name: 'open', private: false, files: { a: 'a' } });
    const refs = await git(stage.folder, 'ls-remote', `${stage.sandbox.url}/acme/open`);
    expect(refs).toContain('refs/heads/main');
  });

  it('follows a renamed repository', async () => {
    const { id } = await stage.sandbox.createRepository({
      owner: 'acme',
      name: 'before',
      private: false,
      files: { a: 'a' },
    });
    await stage.sandbox.renameRepository({ repositoryId: id, name: 'after' });
    expect(await git(stage.folder, 'ls-remote', `${stage.sandbox.url}/acme/before.git`)).toContain('refs/heads/main');
  });
});

describe('pushing', () => {
  it('tells the App of the commits, oldest first', async () => {
    const before = await git(clone, 'rev-parse', 'origin/main');
    const first = await commit('one.txt', '1');
    const second = await commit('src/two.txt', '2');
    await git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    const [payload] = await pushed();
    expect(payload).toMatchObject({
      ref: 'refs/heads/main',
      before,
      after: second,
      created: false,
      deleted: false,
      forced: false,
      commits: [
        { id: first, added: ['one.txt'] },
        { id: second, added: ['src/two.txt'], author: { name: 'Ada' } },
      ],
      head_commit: { id: second, message: 'Write src/two.txt' },
      pusher: { name: 'acme' },
      sender: { login: 'acme' },
      installation: { id: stage.installationId },
      repository: { id: stage.repositoryId, full_name: 'acme/shop', master_branch: 'main' },
    });
  });

  it('says when a branch is forced back to an older commit', async () => {
    const before = await git(clone, 'rev-parse', 'HEAD');
    const after = await git(clone, 'rev-parse', 'HEAD~1');
    await git(clone, 'push', '--quiet', '--force', 'origin', 'HEAD~1:main');
    expect((await pushed())[0]).toMatchObject({ before, after, forced: true, commits: [], head_commit: { id: after } });
    await git(clone, 'reset', '--quiet', '--hard', 'origin/main');
  });

  it('tells of new and deleted branches and tags', async () => {
    const sha = await commit('tagged.txt', 't');
    await git(clone, 'tag', 'v1');
    await git(clone, 'tag', '-a', 'v2', '-m', 'annotated');
    await git(clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/side', 'v1', 'v2');
    const created = await pushed();
    expect(created.map(({ ref, created: isNew }) => [ref, isNew]).sort()).toEqual([
      ['refs/heads/side', true],
      ['refs/tags/v1', true],
      ['refs/tags/v2', true],
    ]);
    const annotated = created.find(({ ref }) => ref === 'refs/tags/v2')!;
    expect(annotated).toMatchObject({ commits: [], head_commit: { id: sha } });
    expect(annotated['after']).not.toBe(sha);
    stage.receiver.received.length = 0;
    await git(clone, 'push', '--quiet', 'origin', ':side', ':v1');
    for (const payload of await pushed())
      expect(payload).toMatchObject({ deleted: true, after: zeroSha, head_commit: null, commits: [] });
    expect(stage.receiver.named('delete')).toHaveLength(2);
  });

  it('stays silent about more than three tags at once', async () => {
    for (const tag of ['a', 'b', 'c', 'd']) await git(clone, 'tag', tag);
    await git(clone, 'push', '--quiet', 'origin', 'a', 'b', 'c', 'd');
    expect(await pushed()).toEqual([]);
  });

  it('is refused to the App and to readers', async () => {
    const app = cloneUrl('x-access-token', await installationToken());
    await expect(git(clone, 'push', app, 'HEAD:main')).rejects.toThrow(/403|not granted/);
    await stage.sandbox.setRole({ repositoryId: stage.repositoryId, login: 'reader', role: 'read' });
    const { token } = await stage.sandbox.userToken({ login: 'reader' });
    await expect(git(clone, 'push', cloneUrl('reader', token), 'HEAD:main')).rejects.toThrow(/denied to reader|403/);
  });

  it('cannot touch the refs of pull requests', async () => {
    await expect(git(clone, 'push', 'origin', 'HEAD:refs/pull/1/head')).rejects.toThrow(/hidden ref|deny/);
  });

  it('carries files larger than one buffer', async () => {
    const { randomBytes } = await import('node:crypto');
    const sha = await commit('large.bin', randomBytes(3_000_000).toString('base64'));
    await git(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    expect(await git(clone, 'ls-remote', 'origin', 'refs/heads/main')).toContain(sha);
    const target = join(stage.folder, 'large');
    await git(stage.folder, 'clone', '--quiet', cloneUrl('x-access-token', await installationToken()), target);
    expect(await git(target, 'rev-parse', 'HEAD')).toBe(sha);
  });
});
