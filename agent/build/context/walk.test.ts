import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { toText } from './byte-path.ts';
import { pathFilter, type FilterPatterns } from './path-filter.ts';
import { walkContext, type ContextEntry } from './walk.ts';

function emptyRoot(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'landfall-walk-')));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

function rootWith(files: readonly string[]): string {
  const root = emptyRoot();
  for (const path of files) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), path);
  }
  return root;
}

function walk(root: string, ...layers: FilterPatterns[]): ContextEntry[] {
  return [...walkContext(root, pathFilter(layers))];
}

function paths(root: string, ...layers: FilterPatterns[]): string[] {
  return walk(root, ...layers).map(({ path }) => toText(path));
}

/** The order that BuildKit checks: byte by byte, where a slash comes before everything. */
function comparePaths(a: string, b: string): number {
  const key = (path: string): string => path.replaceAll('/', '\0');
  return key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
}

describe('a walk', () => {
  it('comes to a directory before its entries, and to names in the order of their bytes', () => {
    const root = rootWith(['a/x', 'a.b', 'a-b', 'B', 'é', '\u{1f600}', '\uffee', 'ab', 'a/y/z']);
    expect(paths(root)).toEqual(['B', 'a', 'a/x', 'a/y', 'a/y/z', 'a-b', 'a.b', 'ab', 'é', '\uffee', '\u{1f600}']);
  });

  it('keeps that order in any tree', () => {
    const name = fc.stringMatching(/^[ab.\-é日]{1,3}$/).filter((text) => text !== '.' && text !== '..');
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 12 }), (directories) => {
        const root = emptyRoot();
        for (const directory of directories) mkdirSync(join(root, directory), { recursive: true });
        const found = walk(root).map((entry) => entry.path);
        expect(found).toEqual([...found].sort(comparePaths));
        expect(new Set(found.map(toText))).toEqual(new Set(directories.flatMap((one) => prefixes(one))));
        rmSync(root, { recursive: true });
      }),
      { numRuns: 40 },
    );
  });

  it('keeps empty directories', () => {
    const root = emptyRoot();
    mkdirSync(join(root, 'empty'));
    expect(paths(root)).toEqual(['empty']);
  });

  it('leaves out what is excluded, and keeps what is taken back with its parents', () => {
    const root = rootWith(['a/b/c', 'a/b/d', 'a/e', 'f']);
    expect(paths(root, { exclude: ['a', '!a/b/c'] })).toEqual(['a', 'a/b', 'a/b/c', 'f']);
    expect(paths(root, { exclude: ['**', '!**/d'] })).toEqual(['a', 'a/b', 'a/b/d']);
    expect(paths(root, { exclude: ['a', '!a/none'] })).toEqual(['f']);
  });

  it('takes only what is included, with its parents', () => {
    const root = rootWith(['a/b/c', 'a/b/d', 'a/e', 'f']);
    expect(paths(root, { include: ['a/b/c', 'f'] })).toEqual(['a', 'a/b', 'a/b/c', 'f']);
    expect(paths(root, { include: ['a/b'] }, { exclude: ['**/d'] })).toEqual(['a', 'a/b', 'a/b/c']);
  });

  it('tells mode, size and time to the nanosecond', () => {
    const root = rootWith(['tool']);
    chmodSync(join(root, 'tool'), 0o4755);
    utimesSync(join(root, 'tool'), new Date(1500), new Date(-2250));
    expect(walk(root)).toEqual([
      {
        path: 'tool',
        mode: 0x00800000 + 0o755,
        size: 4,
        modTime: -2_250_000_000n,
        linkname: '',
        devMajor: 0,
        devMinor: 0,
        hasContent: true,
      },
    ]);
  });

  it('P69: shows a symlink as it is, and never what it points to', () => {
    const outside = rootWith(['secret']);
    const root = rootWith(['file']);
    symlinkSync(outside, join(root, 'out'));
    symlinkSync('../../../etc', join(root, 'up'));
    symlinkSync('none', join(root, 'dangling'));
    const links = walk(root).filter(({ linkname }) => linkname !== '');
    expect(links.map(({ path, linkname, hasContent }) => [path, linkname, hasContent])).toEqual([
      ['dangling', 'none', false],
      ['out', outside, false],
      ['up', '../../../etc', false],
    ]);
    expect(paths(root)).toEqual(['dangling', 'file', 'out', 'up']);
  });

  it('names the first of several hard links that is sent', () => {
    const root = rootWith(['b']);
    linkSync(join(root, 'b'), join(root, 'a'));
    linkSync(join(root, 'b'), join(root, 'c'));
    const links = (...layers: FilterPatterns[]): unknown[] => walk(root, ...layers).map((e) => [e.path, e.linkname]);
    expect(links()).toEqual([
      ['a', ''],
      ['b', 'a'],
      ['c', 'a'],
    ]);
    expect(links({ exclude: ['a'] })).toEqual([
      ['b', ''],
      ['c', 'b'],
    ]);
  });

  it('passes sockets by', async () => {
    const root = rootWith(['file']);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, 'socket'), resolve));
    expect(lstatSync(join(root, 'socket')).isSocket()).toBe(true);
    expect(paths(root)).toEqual(['file']);
    server.close();
  });

  it('takes names that are no UTF-8', () => {
    const root = emptyRoot();
    const name = Buffer.from([0x66, 0xff, 0x2e, 0x78]);
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), '');
    expect(walk(root).map(({ path }) => Buffer.from(path, 'latin1'))).toEqual([name]);
    expect(paths(root, { exclude: ['*.x'] })).toEqual([]);
  });

  it('goes on when files vanish under it', () => {
    const root = rootWith(['a', 'b/c', 'd']);
    const seen: string[] = [];
    for (const { path } of walkContext(root, pathFilter([]))) {
      seen.push(path);
      if (path === 'a') rmSync(join(root, 'b'), { recursive: true });
    }
    expect(seen).toEqual(['a', 'd']);
  });
});

function prefixes(path: string): string[] {
  return path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
}
