/** Git trees as an attacker would write them: objects that git itself would never make from a working tree. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { deflateSync } from 'node:zlib';

export type TreeEntry =
  | { name: string; kind: 'file'; content: string }
  | { name: string; kind: 'symlink'; to: string }
  | { name: string; kind: 'submodule' }
  | { name: string; kind: 'tree'; entries: readonly TreeEntry[] }
  /** Of a mode that trees do not have. */
  | { name: string; kind: 'other'; mode: string };

const person = 'Mallory <mallory@example.com> 0 +0000';

/** Writes the commit of these entries, as they are, as loose objects of a bare repository, and makes it the main branch. */
export async function commitTree(bare: string, entries: readonly TreeEntry[]): Promise<string> {
  const objects = path.join(bare, 'objects');
  const tree = await writeTree(objects, entries);
  const sha = await writeObject(
    objects,
    'commit',
    Buffer.from(`tree ${tree}\nauthor ${person}\ncommitter ${person}\n\nA change\n`),
  );
  await mkdir(path.join(bare, 'refs', 'heads'), { recursive: true });
  await writeFile(path.join(bare, 'refs', 'heads', 'main'), `${sha}\n`);
  return sha;
}

async function writeTree(objects: string, entries: readonly TreeEntry[]): Promise<string> {
  const lines: Buffer[] = [];
  for (const entry of entries) {
    const { mode, sha } = await writeEntry(objects, entry);
    lines.push(Buffer.from(`${mode} ${entry.name}\0`), Buffer.from(sha, 'hex'));
  }
  return writeObject(objects, 'tree', Buffer.concat(lines));
}

async function writeEntry(objects: string, entry: TreeEntry): Promise<{ mode: string; sha: string }> {
  const blob = (content: string): Promise<string> => writeObject(objects, 'blob', Buffer.from(content));
  switch (entry.kind) {
    case 'file':
      return { mode: '100755', sha: await blob(entry.content) };
    case 'symlink':
      return { mode: '120000', sha: await blob(entry.to) };
    case 'submodule':
      return { mode: '160000', sha: 'a'.repeat(40) };
    case 'tree':
      return { mode: '40000', sha: await writeTree(objects, entry.entries) };
    case 'other':
      return { mode: entry.mode, sha: await blob('other') };
  }
}

async function writeObject(objects: string, type: string, content: Buffer): Promise<string> {
  const bytes = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
  const sha = createHash('sha1').update(bytes).digest('hex');
  await mkdir(path.join(objects, sha.slice(0, 2)), { recursive: true });
  await writeFile(path.join(objects, sha.slice(0, 2), sha.slice(2)), deflateSync(bytes));
  return sha;
}

/** Ways out of a checkout, or into the repository's own configuration. Each would write `content` to `outside`. */
export function treeEscapes(outside: string, content: string): Record<string, TreeEntry[]> {
  const folder = path.dirname(outside);
  const file: TreeEntry = { name: path.basename(outside), kind: 'file', content };
  const hook: TreeEntry = { name: 'post-checkout', kind: 'file', content: `#!/bin/sh\ntouch ${outside}\n` };
  const config: TreeEntry = { name: 'config', kind: 'file', content: `[core]\nfsmonitor = touch ${outside}\n` };
  const hooks = (name: string): TreeEntry[] => [
    { name, kind: 'tree', entries: [config, { name: 'hooks', kind: 'tree', entries: [hook] }] },
  ];
  return {
    'a .git folder with hooks': hooks('.git'),
    'a .GIT folder with hooks': hooks('.GIT'),
    'a folder that is .git on another system': hooks('git~1'),
    'a .git folder in a folder': [{ name: 'deep', kind: 'tree', entries: hooks('.git') }],
    'a .git file that names another repository': [{ name: '.git', kind: 'file', content: `gitdir: ${folder}\n` }],
    'an entry that is ..': [{ name: '..', kind: 'tree', entries: [file] }],
    'an entry that is .': [{ name: '.', kind: 'tree', entries: [file] }],
    'an entry with slashes that lead upwards': [{ ...file, name: `../../../../../../../../..${outside}` }],
    'an entry with an absolute name': [{ ...file, name: outside }],
    'an entry without a name': [{ name: '', kind: 'tree', entries: [file] }],
    'a folder of the name of a link that leads out': [
      { name: 'out', kind: 'symlink', to: folder },
      { name: 'out', kind: 'tree', entries: [file] },
    ],
    'an entry that goes through a link that leads out': [
      { name: 'out', kind: 'symlink', to: folder },
      { ...file, name: `out/${file.name}` },
    ],
    'a file of the name of a link that leads out': [
      { name: 'out', kind: 'symlink', to: outside },
      { name: 'out', kind: 'file', content },
    ],
    'a submodule that lies outside': [
      {
        name: '.gitmodules',
        kind: 'file',
        content: `[submodule "x"]\npath = ../out\nurl = --upload-pack=touch ${outside}\n`,
      },
      { name: '../out', kind: 'submodule' },
    ],
    'configuration that lies in a link': [{ name: '.gitattributes', kind: 'symlink', to: outside }],
    'a device': [{ name: 'device', kind: 'other', mode: '60000' }],
    'a pipe': [{ name: 'pipe', kind: 'other', mode: '10000' }],
  };
}
