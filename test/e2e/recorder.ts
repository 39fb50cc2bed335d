/** Notes what every program that is found on PATH is called with, however short it runs: by stand-ins that then become the program. */
import { accessSync, constants } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** What the parts of a line run, and what those run. */
const programs = [
  ...['git', 'setpriv', 'unshare', 'nsenter', 'sh', 'mount', 'umount', 'mkdir', 'tar', 'ip', 'nft', 'iptables', 'wg'],
  ...['podman', 'conmon', 'runc', 'crun', 'netavark', 'aardvark-dns', 'buildkitd', 'railpack', 'docker-registry'],
];

export interface Recorder {
  /** To be put first on PATH. */
  directory: string;
  /** Program and arguments of every call so far. */
  calls(): Promise<string[][]>;
}

function onPath(name: string): string | null {
  const found = (process.env['PATH'] ?? '').split(':').map((folder) => path.join(folder, name));
  return found.find(isProgram) ?? null;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES')) return false;
    throw error;
  }
}

/** Calls of one process go into one file: a program that becomes another keeps its number. */
function standIn(name: string, program: string, calls: string): string {
  return [
    '#!/bin/sh',
    `printf '%s\\0' ${name} "$@" >> '${calls}'/$$`,
    // A call ends with a line feed behind a null character.
    `printf '\\n' >> '${calls}'/$$`,
    `exec '${program}' "$@"`,
    '',
  ].join('\n');
}

export async function recordPrograms(folder: string): Promise<Recorder> {
  const directory = path.join(folder, 'bin');
  const calls = path.join(folder, 'calls');
  await Promise.all([mkdir(directory, { recursive: true }), mkdir(calls, { recursive: true })]);
  for (const name of programs) {
    const program = onPath(name);
    if (program === null) continue;
    await writeFile(path.join(directory, name), standIn(name, program, calls));
    await chmod(path.join(directory, name), 0o755);
  }
  return {
    directory,
    async calls() {
      const files = await Promise.all((await readdir(calls)).map((file) => readFile(path.join(calls, file), 'utf8')));
      return files.flatMap((text) => text.split('\0\n').slice(0, -1)).map((call) => call.split('\0'));
    },
  };
}
