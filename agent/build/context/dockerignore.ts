/** Reads .dockerignore files: which of them holds for a Dockerfile, and the patterns it lists. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '../../../platform/files/if-there.ts';
import { cleanPath } from './byte-path.ts';
import { trimSpace } from './go-space.ts';
import { isVanished } from './vanished.ts';

function ignorePattern(line: string): string {
  const negated = line.startsWith('!');
  const bare = negated ? trimSpace(line.slice(1)) : line;
  const cleaned = bare === '' ? '' : cleanPath(bare);
  const relative = cleaned.length > 1 && cleaned.startsWith('/') ? cleaned.slice(1) : cleaned;
  return negated ? `!${relative}` : relative;
}

/** The patterns of a .dockerignore file, in order. A comment starts in the first column; white space around a pattern does not count. */
export function parseDockerignore(text: string): string[] {
  return text
    .replace(/^\ufeff/, '')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map(trimSpace)
    .filter((line) => line !== '')
    .map(ignorePattern);
}

/**
 * The patterns that hold for one Dockerfile: those of `<Dockerfile>.dockerignore` beside it, else of `.dockerignore` in
 * the context. BuildKit's Dockerfile frontend finds them by itself; other frontends are given them as exclude patterns.
 */
export async function readDockerignore(contextDir: string, dockerfile: string): Promise<string[]> {
  const read = (name: string): Promise<string | null> => ifThere(readFile(join(contextDir, name), 'utf8'), isVanished);
  return parseDockerignore((await read(`${dockerfile}.dockerignore`)) ?? (await read('.dockerignore')) ?? '');
}
