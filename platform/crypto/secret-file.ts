/** A file with a secret in it: made once, whole and on disk, by whoever is first, and read by all who come after. */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { codeOf } from '../errors/classify.ts';

/** The file's content. Of several processes that make it at once, all get the content of the one that was first. */
export function secretFile(file: string, make: () => string): string {
  if (!existsSync(file)) publish(file, make());
  return readFileSync(file, 'utf8');
}

/** A link, unlike a rename, never takes the place of what is there. What it names was synchronised before: it is never a part. */
function publish(file: string, content: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  try {
    synchronised(draft, 'wx', (descriptor) => writeSync(descriptor, content));
    linkSync(draft, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  synchronised(path.dirname(file), 'r', () => undefined);
}

function synchronised(name: string, flags: 'wx' | 'r', write: (descriptor: number) => unknown): void {
  const descriptor = openSync(name, flags, 0o600);
  try {
    write(descriptor);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
