import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { followPaths } from './follow-paths.ts';

function treeOf(files: readonly string[], links: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'landfall-follow-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const path of [...files, ...Object.keys(links)]) mkdirSync(join(root, dirname(path)), { recursive: true });
  for (const path of files) writeFileSync(join(root, path), '');
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(root, path));
  return root;
}

describe('followed paths', () => {
  it('are themselves without links, whether there or not', () => {
    expect(followPaths(treeOf(['a/b'], {}), ['a/b', 'none', './a//b/'])).toEqual(['a/b', 'none']);
  });

  it('hold the link and where it points', () => {
    expect(followPaths(treeOf(['d/file'], { link: 'd/file' }), ['link'])).toEqual(['d/file', 'link']);
  });

  it('go on behind a link to a directory', () => {
    expect(followPaths(treeOf(['real/x/y'], { 'a/link': '../real' }), ['a/link/x/y'])).toEqual(['a/link', 'real/x/y']);
  });

  it('take an absolute link as seen from the root', () => {
    expect(followPaths(treeOf(['real'], { link: '/real' }), ['link'])).toEqual(['link', 'real']);
  });

  it('P69: never leave the root', () => {
    const root = treeOf([], { up: '../../../../etc/passwd', absolute: '/etc/passwd', 'd/e': '../../x' });
    expect(followPaths(root, ['up', 'absolute', 'd/e'])).toEqual(['absolute', 'd/e', 'etc/passwd', 'up', 'x']);
    expect(followPaths(root, ['../secret'])).toEqual(['../secret']);
  });

  it('end when links go round in a circle', () => {
    expect(followPaths(treeOf([], { a: 'b', b: 'a', c: 'c/x' }), ['a', 'c'])).toEqual(['a', 'b', 'c']);
  });

  it('follow the links that a wildcard matches', () => {
    const root = treeOf(['real1', 'real2', 'd/f'], { 'd/l1': '../real1', 'd/l2': '../real2' });
    expect(followPaths(root, ['d/l*'])).toEqual(['d/l*', 'real1', 'real2']);
    expect(followPaths(root, ['d/l?'])).toEqual(['d/l?', 'real1', 'real2']);
    expect(followPaths(root, ['d/[a'])).toEqual(['d/[a']);
    expect(followPaths(root, ['none/*'])).toEqual(['none/*']);
  });

  it('are everything when one is the root', () => {
    expect(followPaths(treeOf(['a'], { here: '.' }), ['a', '.'])).toBeNull();
    expect(followPaths(treeOf(['a'], { here: '.' }), ['here'])).toBeNull();
  });

  it('leave out what another holds already', () => {
    expect(followPaths(treeOf(['a/b', 'ab'], {}), ['a/b', 'a', 'ab'])).toEqual(['a', 'ab']);
  });
});
