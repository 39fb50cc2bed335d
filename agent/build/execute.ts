/** Carries out one claimed build, from source to an image in the registry, and always answers with an outcome. */
import type { Static } from 'typebox';
import type { BuildOrder as BuildOrderSchema, BuildOutcome } from '../../core/contract/work.ts';
import { exposedPorts } from '../registry/manifest.ts';
import type { RegistryCredentials } from '../podman/podman.ts';
import type { BuildKitClient } from './buildkit/client.ts';
import { buildDockerfile } from './buildkit/dockerfile.ts';
import { DeadlineExceeded } from '../process/deadline.ts';
import type { Confinement } from './confine.ts';
import { BuildFailed } from './failure.ts';
import type { BuildLog } from './log.ts';
import { outcomeOf } from './outcome.ts';
import { fetchSource, type Checkout, type SourceOptions } from './source/fetch.ts';
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
  /** Makes a cgroup with the order's limits for the steps; `release` says whether memory ran out, and removes it. */
  confine: (order: BuildOrder) => Promise<Confinement>;
  log: BuildLog;
  /** Aborted with a reason when the build is to end early. */
  cancel: AbortSignal;
  now: () => number;
}

const fetchDeadlineMs = 300_000;

export async function executeBuild(order: BuildOrder, secrets: BuildSecrets, ports: BuildPorts): Promise<BuildOutcome> {
  const end = new AbortController();
  const timeout = setTimeout(
    () => end.abort(new DeadlineExceeded('The build', order.spec.timeoutMs)),
    order.spec.timeoutMs,
  );
  const cancel = (): void => end.abort(ports.cancel.reason);
  if (ports.cancel.aborted) cancel();
  ports.cancel.addEventListener('abort', cancel);
  const confinement = await ports.confine(order);
  let outOfMemory = false;
  const facts = () => ({
    logTail: ports.log.tail(),
    mask: ports.log.mask,
    outOfMemory,
    memoryBytes: order.limits.memoryBytes,
    timeoutMs: order.spec.timeoutMs,
  });
  try {
    const outcome = await attempt(order, secrets, { ...ports, cgroup: confinement.cgroup, signal: end.signal });
    await confinement.release();
    return outcome;
  } catch (error) {
    ({ outOfMemory } = await confinement.release());
    return outcomeOf(error, end.signal.reason, facts());
  } finally {
    clearTimeout(timeout);
    ports.cancel.removeEventListener('abort', cancel);
  }
}

interface Running extends BuildPorts {
  cgroup: string;
  signal: AbortSignal;
}

async function attempt(order: BuildOrder, secrets: BuildSecrets, ports: Running): Promise<BuildOutcome> {
  const startedAt = ports.now();
  const [builder, checkout] = await Promise.all([ports.builder(), source(order, secrets, ports)]);
  const fetchedAt = ports.now();
  try {
    const push = pushTimer(ports.now);
    const imageDigest = await solve(builder, { order, secrets, root: checkout.root, push }, ports);
    const builtAt = ports.now();
    const pushMs = push.until(builtAt);
    return {
      kind: 'succeeded',
      imageDigest,
      exposedPorts: await declaredPorts(order, secrets, imageDigest),
      timings: {
        fetch: Math.round(fetchedAt - startedAt),
        build: Math.round(builtAt - fetchedAt - pushMs),
        push: Math.round(pushMs),
      },
    };
  } finally {
    await checkout.remove();
  }
}

function source(order: BuildOrder, secrets: BuildSecrets, ports: Running): Promise<Checkout> {
  const { repositoryId, cloneUrl, sha } = order;
  ports.log.note(`Fetching ${sha} from ${cloneUrl}`);
  const options = { ...ports.source, deadlineMs: fetchDeadlineMs, signal: ports.signal, onNote: ports.log.note };
  return fetchSource({ repositoryId, cloneUrl, sha, token: secrets.token }, options);
}

interface Solve {
  order: BuildOrder;
  secrets: BuildSecrets;
  root: string;
  push: PushTimer;
}

async function solve(builder: BuildKitClient, { order, secrets, root, push }: Solve, ports: Running): Promise<string> {
  const { spec, registry } = order;
  const { imageDigest } = await buildDockerfile(builder, {
    sourceDir: root,
    contextDir: spec.context,
    dockerfile: spec.dockerfile,
    target: spec.target,
    buildArgs: spec.args,
    labels: { 'org.opencontainers.image.revision': order.sha },
    // The tag only names the image for people and for the registry's collector; the digest is what is deployed.
    image: { name: `${order.imageName}:${order.sha}`, push: true, insecure: registry.insecure },
    cache: { imports: [], exports: [] },
    contextKey: `landfall-${order.repositoryId}-${spec.context}`,
    secrets: {},
    registryAuth: (host) => (host === registry.host ? (secrets.credentials ?? undefined) : undefined),
    onProgress: (event) => {
      push.note(event);
      ports.log.progress(event);
    },
    signal: ports.signal,
    cgroupParent: ports.cgroup,
  });
  if (imageDigest === null)
    throw new BuildFailed('internal', 'BuildKit ended the build without the digest of an image.');
  return imageDigest;
}

async function declaredPorts(order: BuildOrder, secrets: BuildSecrets, digest: string): Promise<number[]> {
  const { host, insecure } = order.registry;
  const repository = order.imageName.slice(host.length + 1);
  return await exposedPorts({ host, insecure, credentials: secrets.credentials }, { repository, digest });
}
