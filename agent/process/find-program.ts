/** Where a program is on PATH. */
import { access, constants } from 'node:fs/promises';
import path from 'node:path';

/** Its absolute path; null when it is nowhere. A name with a slash stands for itself. */
export async function findProgram(name: string, env: Readonly<Record<string, string>>): Promise<string | null> {
  const candidates = name.includes('/')
    ? [path.resolve(name)]
    : (env['PATH'] ?? '').split(path.delimiter).map((directory) => path.join(directory, name));
  for (const candidate of candidates) if (await isExecutable(candidate)) return candidate;
  return null;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
