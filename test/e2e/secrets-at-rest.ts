/** Looks for secrets where none may be: files, image layers, arguments of processes. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { constants, gunzipSync } from 'node:zlib';

/** A secret by name, as its text or as what its text looks like. */
export type Secrets = Record<string, string | RegExp>;

function namesIn(bytes: Buffer, secrets: Secrets): string[] {
  const text = bytes.toString('latin1');
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const found = typeof secret === 'string' ? text.includes(secret) : secret.test(text);
    return found ? [name] : [];
  });
}

/** Files that come and go while they are read are those of a database at work. */
function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENXIO'))
      return Buffer.alloc(0);
    throw error;
  }
}

function unzipped(bytes: Buffer): Buffer {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  // Half a file is an upload that was cut off.
  return isGzip ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : Buffer.alloc(0);
}

/** `file: secret`, for every file below the folder whose bytes, unzipped too, hold one. `known` are files that may. */
export function secretsInFiles(folder: string, secrets: Secrets, known: readonly string[]): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((file) => !known.some((one) => file === one || file.startsWith(`${one}/`)));
  return files.flatMap((file) => {
    const bytes = readIfThere(path.join(folder, file));
    const names = new Set([...namesIn(bytes, secrets), ...namesIn(unzipped(bytes), secrets)]);
    return [...names].map((name) => `${file}: ${name}`);
  });
}

/** `arguments: secret`, of every process of this machine. */
export function secretsInArguments(secrets: Secrets): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const cmdline = argumentsOf(pid);
      return namesIn(cmdline, secrets).map((name) => `${cmdline.toString('latin1').replaceAll('\0', ' ')}: ${name}`);
    });
}

function argumentsOf(pid: string): Buffer {
  try {
    return readFileSync(`/proc/${pid}/cmdline`);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return Buffer.alloc(0);
    throw error;
  }
}
