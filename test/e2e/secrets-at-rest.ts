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

/** Files and folders that come and go while they are read are those of programs at work. */
function unlessGone<T>(read: () => T, gone: T): T {
  try {
    return read();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENXIO' || code === 'ENOTDIR') return gone;
    throw error;
  }
}

function filesBelow(folder: string): string[] {
  return unlessGone(() => readdirSync(folder, { withFileTypes: true }), []).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(file);
    return entry.isFile() ? [file] : [];
  });
}

function unzipped(bytes: Buffer): Buffer {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  // Half a file is an upload that was cut off.
  return isGzip ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : Buffer.alloc(0);
}

/** `file: secret`, for every file below the folder whose bytes, unzipped too, hold one. `known` are files that may. */
export function secretsInFiles(folder: string, secrets: Secrets, known: readonly string[]): string[] {
  const files = filesBelow(folder)
    .map((file) => path.relative(folder, file))
    .filter((file) => !known.some((one) => file === one || file.startsWith(`${one}/`)));
  return files.flatMap((file) => {
    const bytes = unlessGone(() => readFileSync(path.join(folder, file)), Buffer.alloc(0));
    const names = new Set([...namesIn(bytes, secrets), ...namesIn(unzipped(bytes), secrets)]);
    return [...names].map((name) => `${file}: ${name}`);
  });
}

/** `arguments: secret`, of every one of these calls. */
export function secretsInArguments(calls: readonly (readonly string[])[], secrets: Secrets): string[] {
  return calls.flatMap((argv) => {
    const line = argv.join(' ');
    return namesIn(Buffer.from(line), secrets).map((name) => `${line}: ${name}`);
  });
}
