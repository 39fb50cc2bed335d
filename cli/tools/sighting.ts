/** Looks for a program on PATH and in the cache, and asks each file found which version it is. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ToolsEnvironment } from '../../platform/config/tools.ts';
import { entryDirectory } from './cache.ts';
import { isStaticElf } from './elf.ts';
import { isFitting, type Sighting, type Sightings } from './fit.ts';
import type { ToolsHost } from './host.ts';
import type { Pin, Program } from './pins.ts';
import { parseVersion, type Version } from './version.ts';

const answerWithinMs = 10_000;

async function isExecutableFile(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

/** What the program prints when asked; a program that fails while answering has still answered. */
function answer(file: string, ask: readonly string[], env: ToolsEnvironment['variables']): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(file, [...ask], { env, timeout: answerWithinMs }, (_error, stdout, stderr) =>
      resolve(parseVersion(stdout) === null ? stderr : stdout),
    );
    child.stdin?.end();
  });
}

export async function askVersion(
  file: string,
  program: Program,
  env: ToolsEnvironment['variables'],
): Promise<Version | null> {
  return parseVersion(await answer(file, program.ask, env));
}

async function linkingOf(file: string): Promise<'static' | 'dynamic'> {
  const handle = await open(file, 'r');
  try {
    const head = Buffer.alloc(4096);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    return isStaticElf(head.subarray(0, bytesRead)) ? 'static' : 'dynamic';
  } finally {
    await handle.close();
  }
}

async function look(
  file: string,
  source: Sighting['source'],
  program: Program,
  environment: ToolsEnvironment,
): Promise<Sighting | null> {
  if (!(await isExecutableFile(file))) return null;
  const version = await askVersion(file, program, environment.variables);
  if (program.linking === undefined) return { path: file, source, version };
  return { path: file, source, version, linking: await linkingOf(file) };
}

function places(pin: Pin, program: Program, host: ToolsHost): { file: string; source: Sighting['source'] }[] {
  const onPath = host.environment.searchPath.map((directory) => ({
    file: path.join(directory, program.name),
    source: 'path' as const,
  }));
  if (pin.version === null || host.facts.arch === null) return onPath;
  const entry = entryDirectory(host.environment.cacheDir, pin.name, pin.version, host.facts.arch);
  return [...onPath, { file: path.join(entry, 'bin', program.name), source: 'cache' as const }];
}

/** The files of that name in the order in which they are chosen: PATH, then the cache. Ends with the first that fits. */
export async function sight(pin: Pin, program: Program, host: ToolsHost): Promise<Sighting[]> {
  const seen: Sighting[] = [];
  for (const { file, source } of places(pin, program, host)) {
    const sighting = await look(file, source, program, host.environment);
    if (sighting !== null) seen.push(sighting);
    if (sighting !== null && isFitting(pin, program, sighting)) break;
  }
  return seen;
}

/** What is there of every program of these tools, by the program's name. */
export async function sightAll(pins: readonly Pin[], host: ToolsHost): Promise<Sightings> {
  const programs = pins.flatMap((pin) => pin.programs.map((program) => ({ pin, program })));
  const rows = await Promise.all(
    programs.map(async ({ pin, program }) => [program.name, await sight(pin, program, host)] as const),
  );
  return new Map(rows);
}
