/** Opens files of a context for sending: never through a symlink, never outside of the root, never anything but a plain file. */
import { closeSync, constants, fstatSync, openSync, readlinkSync } from 'node:fs';
import { toSystem, toText } from '../context/byte-path.ts';
import { errorCode } from '../context/vanished.ts';

/** The context is not what it was when it was listed, or cannot be read. */
export class ContextFileError extends Error {
  override readonly name = 'ContextFileError';
  readonly path: string;
  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.path = path;
  }
}

export function changedWhileSent(path: string): ContextFileError {
  return new ContextFileError(toText(path), 'the file changed while the context was sent');
}

// A pipe put in the file's place would block an open that waits for its writer.
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function isWithin(root: string, descriptor: number): boolean {
  const resolved = readlinkSync(`/proc/self/fd/${descriptor}`, { encoding: 'latin1' });
  return resolved.startsWith(`${root}/`);
}

/** `root` and `path` are byte paths; `root` holds no symlink. Returns a descriptor that the caller closes. */
export function openContextFile(root: string, path: string): number {
  let descriptor: number;
  try {
    descriptor = openSync(toSystem(`${root}/${path}`), openFlags);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new ContextFileError(toText(path), 'the file vanished while the context was sent');
    }
    if (code === 'ELOOP') throw changedWhileSent(path);
    throw new ContextFileError(toText(path), `the file cannot be read (${code ?? String(error)})`);
  }
  // A parent directory may have been replaced by a symlink since the walk.
  if (fstatSync(descriptor).isFile() && isWithin(root, descriptor)) return descriptor;
  closeSync(descriptor);
  throw changedWhileSent(path);
}
