/** Content hashes: what tells whether a step has to be done again. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** @param {string} file @returns {string | null} SHA-256 of the file; null when there is none. */
export function hashFile(file) {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

/** @param {string[]} files @returns {string} One hash over the names and contents of these files, missing ones included. */
export function hashFiles(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0${hashFile(file) ?? 'missing'}\0`);
  return hash.digest('hex');
}

const skipped = new Set(['node_modules', '.git', 'dist', '.landfall', 'coverage', 'client']);

/** @param {string} folder @returns {string[]} Every file of the checkout below it, sorted; nothing installed or built. */
export function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const place = path.join(folder, entry.name);
      if (entry.isDirectory()) return skipped.has(entry.name) ? [] : filesBelow(place);
      return entry.isFile() ? [place] : [];
    })
    .sort();
}

/** @param {string} file */
export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

/** @param {string} file @param {unknown} value */
export function writeJson(file, value) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}
