/** Reads of what may be gone: a file that nobody has written, a process of /proc that has ended. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { codeOf } from '../errors/classify.ts';

/** No such file (ENOENT), or no such process (ESRCH: also what a read in /proc says of one that ended meanwhile). */
export function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH'].includes(codeOf(error));
}

/** Null when what is read is gone. Errors that tell of anything else are thrown. */
export async function ifThere<T>(reading: Promise<T>, means: (error: unknown) => boolean = isGone): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (means(error)) return null;
    throw error;
  }
}

export function readIfThere(file: string): Promise<string | null> {
  return ifThere(readFile(file, 'utf8'));
}

/** For callers that cannot wait: in a handler of a signal, or between two steps that nothing may come between. */
export function readIfThereSync(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}
