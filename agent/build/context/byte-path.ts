/**
 * Paths as byte strings: one character per byte, as read from the kernel with the `latin1` encoding.
 *
 * File names are bytes, not text: a name that is no UTF-8 must still be sent, and the order that BuildKit demands is the
 * order of bytes, which is how JavaScript compares these strings. Text is made only where a pattern looks at a path.
 */
import { posix } from 'node:path';

const nonAscii = /[\u0080-\u00ff]/;

export function toText(bytePath: string): string {
  return nonAscii.test(bytePath) ? Buffer.from(bytePath, 'latin1').toString('utf8') : bytePath;
}

export function fromText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** What node:fs takes for this path. ASCII stays a string because that is the quicker way in. */
export function toSystem(bytePath: string): string | Buffer {
  return nonAscii.test(bytePath) ? Buffer.from(bytePath, 'latin1') : bytePath;
}

/** The shortest lexical form, as Go's filepath.Clean gives it: no trailing slash, no `.`, `..` only in front. */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** A path taken as seen from the root, so that `..` cannot leave it; the root itself is `.`. */
export function withinRoot(path: string): string {
  const absolute = cleanPath(`/${path}`);
  return absolute === '/' ? '.' : absolute.slice(1);
}
