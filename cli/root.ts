/** Finds the package's own folder, from the sources as from `dist/`: what is not code (go.mod files, pages) is read from there. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

function isPackageRoot(directory: string): boolean {
  try {
    const manifest: unknown = JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8'));
    return typeof manifest === 'object' && manifest !== null && 'name' in manifest && manifest.name === 'landfall';
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return false;
    throw error;
  }
}

/** The nearest folder at or above `from` whose package.json is named `landfall`. */
export function packageRoot(from: string = import.meta.dirname): string {
  for (let directory = path.resolve(from); ; directory = path.dirname(directory)) {
    if (isPackageRoot(directory)) return directory;
    if (directory === path.dirname(directory))
      throw new Error(`No package.json of landfall lies at or above ${from}. Run Landfall from its own folder, whole.`);
  }
}
