/** Builds a Dockerfile: turns what a build is ordered with into the request that BuildKit understands. */
import { copyFile, lstat, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, sep } from 'node:path';
import { ifThere } from '../../../platform/files/if-there.ts';
import { isVanished } from '../context/vanished.ts';
import type { BuildKitClient } from './client.ts';
import { BuildError } from './errors.ts';
import type { SourceLines } from './error-details.ts';
import type { CacheRef, SolveRequest, SolveResult } from './solve-request.ts';

export interface DockerfileImage {
  /** `registry/repository:tag`. */
  readonly name: string;
  readonly push: boolean;
  /** Plain HTTP, or a certificate nobody signed. */
  readonly insecure: boolean;
}

export interface DockerfileCache {
  readonly imports: readonly CacheRef[];
  readonly exports: readonly CacheRef[];
}

export interface DockerfileBuild extends Pick<
  SolveRequest,
  'secrets' | 'registryAuth' | 'sourceRules' | 'onProgress' | 'signal'
> {
  /** What is checked out; neither context nor Dockerfile may lie outside of it, through symlinks either (P69). */
  readonly sourceDir: string;
  /** Relative to `sourceDir`. */
  readonly contextDir: string;
  /** Relative to `sourceDir`. */
  readonly dockerfile: string;
  readonly target: string | null;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly image: DockerfileImage;
  readonly cache: DockerfileCache;
  /** See SolveRequest: one per project. */
  readonly contextKey?: string;
  readonly cgroupParent?: string;
}

/** Where a build's parts lie, without symlinks. */
export interface DockerfilePlaces {
  readonly contextDir: string;
  /** The directory of the Dockerfile, and its name there. */
  readonly dockerfileDir: string;
  readonly filename: string;
}

/** A registry cache beside the image: `registry/repository:buildcache`, every step of every stage kept. */
export function registryCache(repository: string, insecure: boolean): DockerfileCache {
  const ref = `${repository}:buildcache`;
  const allow: Record<string, string> = insecure ? { 'registry.insecure': 'true' } : {};
  return {
    imports: [{ type: 'registry', attrs: { ref, ...allow } }],
    // A cache that cannot be written makes the next build slower, and this one no worse.
    exports: [{ type: 'registry', attrs: { ref, mode: 'max', 'ignore-error': 'true', ...allow } }],
  };
}

function prefixed(prefix: string, values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}:${name}`, value]));
}

/** Pure: the request for a build whose places are known. */
export function dockerfileRequest(build: DockerfileBuild, places: DockerfilePlaces): SolveRequest {
  const { name, push, insecure } = build.image;
  return {
    frontend: 'dockerfile.v0',
    frontendAttrs: {
      filename: places.filename,
      ...(build.target === null ? {} : { target: build.target }),
      ...prefixed('build-arg', build.buildArgs),
      ...prefixed('label', build.labels),
    },
    localDirs: { context: { path: places.contextDir }, dockerfile: { path: places.dockerfileDir } },
    exports: [
      {
        type: 'image',
        attrs: { name, push: String(push), ...(insecure ? { 'registry.insecure': 'true' } : {}) },
      },
    ],
    cacheImports: build.cache.imports,
    cacheExports: build.cache.exports,
    secrets: build.secrets,
    registryAuth: (host) => build.registryAuth(host),
    onProgress: (event) => build.onProgress(event),
    signal: build.signal,
    ...(build.sourceRules === undefined ? {} : { sourceRules: build.sourceRules }),
    ...(build.contextKey === undefined ? {} : { contextKey: build.contextKey }),
    ...(build.cgroupParent === undefined ? {} : { cgroupParent: build.cgroupParent }),
  };
}

function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way !== '..' && !way.startsWith(`..${sep}`);
}

/** The real path, or null when there is nothing or when it leads out of the root. */
async function containedPath(root: string, path: string): Promise<string | null> {
  const resolved = await ifThere(realpath(join(root, path)), isVanished);
  return resolved !== null && isInside(resolved, root) ? resolved : null;
}

async function isDirectory(path: string): Promise<boolean> {
  return (await lstat(path)).isDirectory();
}

/** Rejects with BuildError when a place is not there, or not inside of the source. */
export async function findPlaces(
  build: Pick<DockerfileBuild, 'sourceDir' | 'contextDir' | 'dockerfile'>,
): Promise<DockerfilePlaces> {
  const root = await realpath(build.sourceDir);
  const contextDir = await containedPath(root, build.contextDir);
  if (contextDir === null || !(await isDirectory(contextDir))) {
    throw new BuildError({
      kind: 'context-invalid',
      message: `there is no directory ${build.contextDir} in the source`,
    });
  }
  const dockerfile = await containedPath(root, build.dockerfile);
  if (dockerfile === null || (await isDirectory(dockerfile))) {
    throw new BuildError({ kind: 'dockerfile-missing', path: build.dockerfile });
  }
  // A Dockerfile that is a symlink keeps its name, which names its ignore file, unless it leads to another directory.
  const named = await containedPath(root, dirname(build.dockerfile));
  const filename = named === dirname(dockerfile) ? basename(build.dockerfile) : basename(dockerfile);
  return { contextDir, dockerfileDir: dirname(dockerfile), filename };
}

/** BuildKit asks for the Dockerfile by its name as a pattern, in a header: a name of other characters need not match itself. */
const plainName = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/** The places, with a Dockerfile of any other name copied, with its ignore file, to where it has a plain one; and how to take that away. */
async function plainlyNamed(
  places: DockerfilePlaces,
): Promise<{ places: DockerfilePlaces; remove: () => Promise<void> }> {
  const { dockerfileDir, filename } = places;
  if (plainName.test(filename)) return { places, remove: () => Promise.resolve() };
  const copy = await mkdtemp(join(tmpdir(), 'landfall-dockerfile-'));
  await copyFile(join(dockerfileDir, filename), join(copy, 'Dockerfile'));
  await copyIfThere(join(dockerfileDir, `${filename}.dockerignore`), join(copy, 'Dockerfile.dockerignore'));
  return {
    places: { ...places, dockerfileDir: copy, filename: 'Dockerfile' },
    remove: () => rm(copy, { recursive: true, force: true }),
  };
}

/** A symlink may lead out of the source, and is left (P69). */
async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    if ((await lstat(from)).isFile()) await copyFile(from, to);
  } catch (error) {
    if (!isVanished(error)) throw error;
  }
}

/** The daemon knows the Dockerfile by its name alone; whoever annotates it needs its path. */
function withPath(source: SourceLines | null, places: DockerfilePlaces, path: string): SourceLines | null {
  return source?.file === places.filename ? { ...source, file: path } : source;
}

/** Rejects with BuildError. */
export async function buildDockerfile(client: BuildKitClient, build: DockerfileBuild): Promise<SolveResult> {
  const { places, remove } = await plainlyNamed(await findPlaces(build));
  try {
    return await client.solve(dockerfileRequest(build, places));
  } catch (error) {
    if (!(error instanceof BuildError) || !('source' in error.problem)) throw error;
    throw new BuildError(
      { ...error.problem, source: withPath(error.problem.source, places, build.dockerfile) },
      { cause: error.cause },
    );
  } finally {
    await remove();
  }
}
