/** Archives as an attacker would write them: tar, entry by entry, with whatever names and links are asked for. */
import { gzipSync } from 'node:zlib';

export interface ArchiveEntry {
  name: string;
  kind: 'file' | 'directory' | 'symlink' | 'hardlink' | 'device' | 'fifo';
  content?: string;
  /** Where a link leads. */
  to?: string;
  mode?: number;
}

const typeFlags = { file: '0', hardlink: '1', symlink: '2', device: '3', directory: '5', fifo: '6' } as const;
const block = 512;

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}

/** A header of POSIX's ustar; the names must fit its hundred bytes. */
function header({ name, kind, content = '', to = '', mode = 0o755 }: ArchiveEntry): Buffer {
  const bytes = Buffer.alloc(block);
  if (Buffer.byteLength(name) > 100 || Buffer.byteLength(to) > 100)
    throw new Error(`${name} is too long for this archive.`);
  bytes.write(name, 0);
  bytes.write(octal(mode, 8), 100);
  bytes.write(octal(0, 8) + octal(0, 8), 108);
  bytes.write(octal(Buffer.byteLength(content), 12) + octal(0, 12), 124);
  bytes.write(' '.repeat(8), 148);
  bytes.write(typeFlags[kind], 156);
  bytes.write(to, 157);
  bytes.write('ustar\x0000', 257);
  // The first disk, where this is a device.
  if (kind === 'device') bytes.write(octal(1, 8) + octal(3, 8), 329);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${octal(sum, 7)} `, 148);
  return bytes;
}

export function archiveOf(entries: readonly ArchiveEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? '');
    return [header(entry), content, Buffer.alloc((block - (content.length % block)) % block)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

export const gzippedArchiveOf = (entries: readonly ArchiveEntry[]): Buffer => gzipSync(archiveOf(entries));

/** Ways out of the folder that an archive is unpacked in. Each would write `content` to `outside`, an absolute path of a file. */
export function escapes(outside: string, content: string): Record<string, ArchiveEntry[]> {
  const folder = outside.slice(0, outside.lastIndexOf('/'));
  const name = outside.slice(folder.length + 1);
  const up = '../'.repeat(12);
  return {
    'a name that leads upwards': [{ name: `${up}${outside.slice(1)}`, kind: 'file', content }],
    'a name that leads upwards from within': [{ name: `bin/${up}${outside.slice(1)}`, kind: 'file', content }],
    'an absolute name': [{ name: outside, kind: 'file', content }],
    'a file through a link to a folder outside': [
      { name: 'out', kind: 'symlink', to: folder },
      { name: `out/${name}`, kind: 'file', content },
    ],
    'a file through a relative link outside': [
      { name: 'out', kind: 'symlink', to: `${up}${folder.slice(1)}` },
      { name: `out/${name}`, kind: 'file', content },
    ],
    'a file over a link to a file outside': [
      { name: 'out', kind: 'symlink', to: outside },
      { name: 'out', kind: 'file', content },
    ],
    'a file over a hard link to a file outside': [
      { name: 'out', kind: 'hardlink', to: outside },
      { name: 'out', kind: 'file', content },
    ],
    'a link to a link': [
      { name: 'a', kind: 'symlink', to: '..' },
      { name: 'a/b', kind: 'symlink', to: `${up}${folder.slice(1)}` },
      { name: `b/${name}`, kind: 'file', content },
      { name: `a/b/${name}`, kind: 'file', content },
    ],
  };
}
