/** Carries out one claimed build, from source to an image in the registry, and always answers with an outcome. */
import type { Static } from 'typebox';
import type { BuildOrder as BuildOrderSchema, BuildOutcome } from '../../core/contract/work.ts';
import type { RegistryTarget } from '../registry/access.ts';
import type { RegistryCredentials } from '../registry/credentials.ts';
import { exposedPorts, hasManifest } from '../registry/manifest.ts';
import type { BuildKitClient } from './buildkit/client.ts';
import { buildDockerfile, registryCache, type DockerfileBuild } from './buildkit/dockerfile.ts';
import type { CacheRef } from './buildkit/solve-request.ts';
import { DeadlineExceeded } from '../process/deadline.ts';
import type { Confine } from './confine.ts';
import { BuildFailed } from './failure.ts';
import type { CacheWrite } from './layer-cache.ts';
import type { BuildLog } from './log.ts';
import { outcomeOf } from './outcome.ts';
import { fetchSource, type Checkout, type SourceOptions } from './source/fetch.ts';
import { ownImagesOnly } from './source-rules.ts';
import { pushTimer, type PushTimer } from './timings.ts';

export type BuildOrder = Static<typeof BuildOrderSchema>;

export interface BuildSecrets {
  token: string;
  credentials: RegistryCredentials | null;
}

export interface BuildPorts {
  /** Rejects with BuildFailed `builder_unavailable`. */
  builder: () => Promise<BuildKitClient>;
  source: Pick<SourceOptions, 'cacheDir' | 'workDir' | 'env'>;
  confine: Confine;
  log: BuildLog;
  /** This node has built the image before. */
  isWarm: boolean;
  /** Aborted with a reason when the build is to end early. */
  cancel: AbortSignal;
  now: () => number;
}

export interface EndedBuild {
  outcome: BuildOutcome;
  /** Null when there is nothing to write. */
  cache: CacheWrite | null;
}

const fetchDeadlineMs = 300_000;
/** Of `registryCache`. */
const cacheTag = 'buildcache';

export async function executeBuild(order: BuildOrder, secrets: BuildSecrets, ports: BuildPorts): Promise<EndedBuild> {
  const { timeoutMs } = order.spec;
  const end = new AbortController();
  const timeout = setTimeout(() => end.abort(new DeadlineExceeded('The build', timeoutMs)), timeoutMs);
  const cancel = (): void => end.abort(ports.cancel.reason);
  if (ports.cancel.aborted) cancel();
  ports.cancel.addEventListener('abort', cancel);
  const confinement = await ports.confine(order.limits);
  try {
    const built = await attempt(order, secrets, { ...ports, signal: end.signal });
    await confinement.release();
    return built;
  } catch (error) {
    const facts = {
      logTail: ports.log.tail(),
      mask: (text: string) => ports.log.mask(text),
      memory: await confinement.release(),
      memoryBytes: order.limits.memoryBytes,
      timeoutMs,
    };
    return { outcome: outcomeOf(error, end.signal.reason, facts), cache: null };
  } finally {
    clearTimeout(timeout);
    ports.cancel.removeEventListener('abort', cancel);
  }
}

interface Running extends BuildPorts {
  signal: AbortSignal;
}

async function attempt(order: BuildOrder, secrets: BuildSecrets, ports: Running): Promise<EndedBuild> {
  const startedAt = ports.now();
  const builder = await ports.builder();
  const cacheImports = knownCache(order, secrets, ports);
  const checkout = await source(order, secrets, ports);
  const fetchedAt = ports.now();
  const push = pushTimer(ports.now);
  try {
    const request = imageRequest({ order, secrets, root: checkout.root, push }, ports);
    const cache = { imports: await cacheImports, exports: [] };
    const { imageDigest } = await buildDockerfile(builder, { ...request, cache });
    if (imageDigest === null) throw new BuildFailed('internal', 'BuildKit ended the build without naming an image.');
    const builtAt = ports.now();
    const pushMs = push.until(builtAt);
    const outcome: BuildOutcome = {
      kind: 'succeeded',
      imageDigest,
      exposedPorts: await declaredPorts(order, secrets, imageDigest),
      timings: {
        fetch: Math.round(fetchedAt - startedAt),
        build: Math.round(builtAt - fetchedAt - pushMs),
        push: Math.round(pushMs),
      },
    };
    return { outcome, cache: cacheWrite(builder, request, { order, checkout }) };
  } catch (error) {
    await checkout.remove();
    throw error;
  }
}

/** The registry's cache of this image, when this node has none of its own and there is one. */
async function knownCache(order: BuildOrder, secrets: BuildSecrets, ports: Running): Promise<readonly CacheRef[]> {
  if (ports.isWarm) return [];
  const target = registryTarget(order, secrets);
  const { imports } = registryCache(order.imageName, order.registry.insecure);
  return (await hasManifest(target, repositoryOf(order), cacheTag)) ? imports : [];
}

/** The same build again, every step of it cached, into the registry's cache. */
function cacheWrite(
  builder: BuildKitClient,
  request: Omit<DockerfileBuild, 'cache'>,
  { order, checkout }: { order: BuildOrder; checkout: Checkout },
): CacheWrite {
  const { exports } = registryCache(order.imageName, order.registry.insecure);
  return {
    imageName: order.imageName,
    discard: checkout.remove,
    write: async (signal) => {
      const image = { ...request.image, push: false };
      const onProgress = (): void => undefined;
      await buildDockerfile(builder, { ...request, image, onProgress, signal, cache: { imports: [], exports } });
    },
  };
}

function source(order: BuildOrder, secrets: BuildSecrets, ports: Running): Promise<Checkout> {
  const { repositoryId, cloneUrl, sha } = order;
  const { log, signal } = ports;
  log.note(`Fetching ${sha} from ${cloneUrl}`);
  const onNote = (line: string): void => log.note(line);
  const options = { ...ports.source, deadlineMs: fetchDeadlineMs, signal, onNote };
  return fetchSource({ repositoryId, cloneUrl, sha, token: secrets.token }, options);
}

interface Solve {
  order: BuildOrder;
  secrets: BuildSecrets;
  root: string;
  push: PushTimer;
}

function imageRequest({ order, secrets, root, push }: Solve, ports: Running): Omit<DockerfileBuild, 'cache'> {
  const { spec, registry } = order;
  return {
    sourceDir: root,
    contextDir: spec.context,
    dockerfile: spec.dockerfile,
    target: spec.target,
    // The namespace of cache mounts: two projects that name one alike share nothing.
    buildArgs: { ...spec.args, BUILDKIT_CACHE_MOUNT_NS: String(order.repositoryId) },
    labels: { 'org.opencontainers.image.revision': order.sha },
    // The tag only names the image for people and for the registry's collector; the digest is what is deployed.
    image: { name: `${order.imageName}:${order.sha}`, push: true, insecure: registry.insecure },
    contextKey: `landfall-${order.repositoryId}-${spec.context}`,
    secrets: {},
    sourceRules: ownImagesOnly(order.imageName),
    registryAuth: (host) => (host === registry.host ? (secrets.credentials ?? undefined) : undefined),
    onProgress: (event) => {
      push.note(event);
      ports.log.progress(event);
    },
    signal: ports.signal,
  };
}

function registryTarget(order: BuildOrder, secrets: BuildSecrets): RegistryTarget {
  const { host, insecure } = order.registry;
  return { host, insecure, credentials: secrets.credentials };
}

function repositoryOf(order: BuildOrder): string {
  return order.imageName.slice(order.registry.host.length + 1);
}

async function declaredPorts(order: BuildOrder, secrets: BuildSecrets, digest: string): Promise<number[]> {
  return await exposedPorts(registryTarget(order, secrets), { repository: repositoryOf(order), digest });
}
