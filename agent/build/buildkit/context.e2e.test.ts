import { execFile } from 'node:child_process';
import { chmod, link, mkdir, readFile, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { useBuildKit } from '../../../test/agent/suite.ts';
import { part } from '../../../test/parts.ts';
import { BuildError } from './errors.ts';
import type { ProgressEvent } from './progress.ts';
import type { SolveRequest } from './solve-request.ts';
import { dockerfileRequest, temporaryFolder, writeBusyboxContext, writeTree } from './testing.ts';

const run = promisify(execFile);
const buildkit = useBuildKit();
let busybox: string;

beforeAll(async () => {
  busybox = await part('busybox');
});

async function folderFor(name: string): Promise<string> {
  const folder = await temporaryFolder(name);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function build(folder: string, changes: Partial<SolveRequest> = {}): Promise<string> {
  const events: ProgressEvent[] = [];
  const onProgress = (event: ProgressEvent) => void events.push(event);
  await buildkit.client.solve(dockerfileRequest(folder, { onProgress, ...changes }));
  return events.map((event) => (event.kind === 'log' ? Buffer.from(event.data).toString('utf8') : '')).join('');
}

/** What a step sees of the context: a line for each entry. */
const list = 'RUN ["/bin/sh", "-c", "cd /ctx && find . | sort"]';

async function listed(files: Readonly<Record<string, string>>, copy = 'COPY . /ctx'): Promise<string[]> {
  const folder = await folderFor('context');
  await writeBusyboxContext(folder, busybox, [copy, list]);
  await writeTree(folder, files);
  const lines = (await build(folder)).trim().split('\n');
  return lines.filter((line) => !['.', './Dockerfile', './bin', './bin/sh', './.dockerignore'].includes(line));
}

describe('a context', () => {
  it('arrives whole: modes, links, empty directories, odd names, times', async () => {
    const folder = await folderFor('context');
    await writeBusyboxContext(folder, busybox, [
      'COPY tree /ctx',
      `RUN ["/bin/sh", "-c", "cd /ctx && stat -c '%n|%a|%h|%F|%Y' * && readlink link && readlink up && cat é*"]`,
    ]);
    const tree = join(folder, 'tree');
    await mkdir(join(tree, 'empty'), { recursive: true });
    await writeTree(tree, { one: 'twice', 'é, b': 'unicode', tool: '#!/bin/sh' });
    await link(join(tree, 'one'), join(tree, 'two'));
    await symlink('one', join(tree, 'link'));
    await symlink('../../../../etc', join(tree, 'up'));
    await chmod(join(tree, 'tool'), 0o4711);
    await chmod(join(tree, 'empty'), 0o1777);
    for (const name of ['empty', 'one', 'tool', 'é, b']) await utimes(join(tree, name), 1_000_000_000, 1_000_000_000);
    const lines = (await build(folder)).split('\n');
    // A link's own time is the time it was made.
    expect(lines.map((line) => line.replace(/(symbolic link)\|\d+/, '$1'))).toEqual([
      'empty|1777|2|directory|1000000000',
      'link|777|1|symbolic link',
      'one|644|2|regular file|1000000000',
      'tool|4711|1|regular file|1000000000',
      'two|644|2|regular file|1000000000',
      'up|777|1|symbolic link',
      'é, b|644|1|regular file|1000000000',
      'one',
      '../../../../etc',
      'unicode',
    ]);
  });

  it('leaves out what .dockerignore names, and keeps what it takes back', async () => {
    const files = {
      '.dockerignore': '# comment\n**/node_modules\n*.log\n!keep.log\n/docs\n!docs/a/b.md\n',
      'node_modules/x': '',
      'deep/node_modules/y': '',
      'a.log': '',
      'keep.log': '',
      'deep/a.log': '',
      'docs/c.md': '',
      'docs/a/b.md': '',
    };
    expect(await listed(files)).toEqual([
      './deep',
      './deep/a.log',
      './docs',
      './docs/a',
      './docs/a/b.md',
      './keep.log',
    ]);
  });

  it("goes by the Dockerfile's own ignore file first", async () => {
    const files = { '.dockerignore': 'a', 'Dockerfile.dockerignore': 'b\nDockerfile.dockerignore', a: '', b: '' };
    expect(await listed(files)).toEqual(['./a']);
  });

  it('holds the files that a COPY names, a comma in the name too', async () => {
    expect(await listed({ 'a, b': '', a: '', c: '' }, 'COPY ["a, b", "/ctx/"]')).toEqual(['./a, b']);
  });

  it('follows a symlink that a COPY names, within the context', async () => {
    const folder = await folderFor('context');
    await writeBusyboxContext(folder, busybox, ['COPY link/file /ctx/', list]);
    await writeTree(folder, { 'real/file': 'x' });
    await symlink('real', join(folder, 'link'));
    expect((await build(folder)).trim().split('\n')).toEqual(['.', './file']);
  });

  it('P69: never brings in what a symlink points to outside', async () => {
    const outside = await folderFor('outside');
    await writeTree(outside, { secret: 'canary' });
    const folder = await folderFor('context');
    await writeBusyboxContext(folder, busybox, ['COPY link/secret /ctx/']);
    await symlink(outside, join(folder, 'link'));
    await expect(build(folder)).rejects.toThrow('COPY link/secret');
    await writeBusyboxContext(folder, busybox, [
      'COPY . /ctx',
      'RUN ["/bin/sh", "-c", "readlink /ctx/link; cat /ctx/link/secret || echo nothing there"]',
    ]);
    const log = await build(folder);
    expect(log).toContain(`${outside}\n`);
    expect(log).toContain('nothing there');
    expect(log).not.toContain('canary');
  });

  it('never holds what the caller withholds, whatever is asked for', async () => {
    const folder = await folderFor('context');
    await writeBusyboxContext(folder, busybox, ['COPY . /ctx', list]);
    await writeTree(folder, { '.git/config': 'token', a: '' });
    const context = { path: folder, excludePatterns: ['.git'] };
    const log = await build(folder, { localDirs: { context, dockerfile: { path: folder } } });
    expect(log).not.toContain('.git');
    expect(log).toContain('./a');
  });

  it('of 20,000 files arrives, and is not sent again', async () => {
    const folder = await folderFor('context');
    await writeBusyboxContext(folder, busybox, ['COPY . /ctx', 'RUN ["/bin/sh", "-c", "find /ctx -type f | wc -l"]']);
    for (let directory = 0; directory < 100; directory++) {
      const files = Array.from({ length: 200 }, (_, index) => [`d${directory}/f${index}`, `${directory}/${index}`]);
      await writeTree(folder, Object.fromEntries(files) as Record<string, string>);
    }
    expect(await build(folder, { contextKey: 'many' })).toContain('20002');
    let transferred = 0;
    await build(folder, {
      contextKey: 'many',
      onProgress: (event) => {
        if (event.kind === 'status' && event.id === 'transferring context:') transferred = event.current;
      },
    });
    // Announcing an entry takes about 40 bytes.
    expect(transferred).toBeLessThan(20_000 * 60);
  });

  it('of several hundred megabytes arrives to the byte', async () => {
    const folder = await folderFor('context');
    await writeBusyboxContext(folder, busybox, ['COPY big /ctx/big', 'RUN ["/bin/sh", "-c", "sha256sum /ctx/big"]']);
    await run('dd', ['if=/dev/urandom', `of=${join(folder, 'big')}`, 'bs=1M', 'count=300', 'status=none']);
    const { stdout } = await run('sha256sum', [join(folder, 'big')]);
    expect(await build(folder)).toContain(stdout.slice(0, 64));
  });
});

describe('a context that cannot be sent', () => {
  it('is told with the file', async () => {
    const folder = await folderFor('context');
    await writeBusyboxContext(folder, busybox, ['COPY . /ctx']);
    const big = join(folder, 'zz');
    await writeFile(big, '');
    await truncate(big, 2 ** 30);
    let changed = false;
    const failed = build(folder, {
      onProgress: (event) => {
        if (changed || event.kind !== 'status' || event.current < 1_000_000) return;
        changed = true;
        void writeFile(big, 'short');
      },
    });
    await expect(failed).rejects.toThrow(BuildError);
    await expect(failed).rejects.toMatchObject({
      problem: { kind: 'context-invalid', message: expect.stringMatching(/^zz: the file (changed|vanished)/) },
    });
  });

  it('is told when its directory is not there', async () => {
    const folder = await folderFor('context');
    await writeBusyboxContext(folder, busybox, ['COPY . /ctx']);
    const missing = { context: { path: join(folder, 'none') }, dockerfile: { path: folder } };
    await expect(build(folder, { localDirs: missing })).rejects.toMatchObject({ problem: { kind: 'context-invalid' } });
  });
});

it('leaves no trace of a secret in what the daemon keeps of a build', async () => {
  const folder = await folderFor('context');
  await writeBusyboxContext(folder, busybox, [
    'RUN --mount=type=secret,id=token ["/bin/sh", "-c", "test -s /run/secrets/token"]',
  ]);
  await build(folder, { secrets: { token: Buffer.from('canary-5d1f') } });
  expect(await readFile(buildkit.daemon.logFile, 'utf8')).not.toContain('canary-5d1f');
});
