/** Carries out one action on the container engine. Every step has its own name, so that a failure says which it was. */
import type { ExpectedContainer, ExpectedState, RegistryAccess } from '../../core/contract/expected-state.ts';
import { textMask } from '../../core/log/mask.ts';
import type { ContainerAction } from '../../core/plan/action.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import { ActionFailed, type DetailCode } from '../loop/failure.ts';
import type { InspectedContainer } from './answers.ts';
import type { RegistryCredentials } from '../registry/credentials.ts';
import { containerCreate, type Ulimit } from './container-create.ts';
import type { Podman } from './podman.ts';

/** What actions need of Podman. */
export interface ActionEngine extends Pick<
  Podman,
  'imageExists' | 'pull' | 'create' | 'start' | 'kill' | 'ended' | 'remove'
> {
  inspect: (id: string) => Promise<Pick<InspectedContainer, 'Config'> | null>;
}

export interface ExecuteOptions {
  podman: ActionEngine;
  /** Makes the containers' network when it is missing. */
  ensureNetwork: (network: ExpectedState['network']) => Promise<void>;
  ulimits: readonly Ulimit[];
  cgroupParent: string | null;
  /** Opens what is sealed to this node; throws when it does not open. */
  openSecrets: (container: ExpectedContainer) => Readonly<Record<string, string>>;
  openCredentials: (registry: RegistryAccess) => RegistryCredentials | null;
  /** Told of each image before it is pulled. */
  onPull: (image: string) => Promise<void>;
  /** Why a pull failed: asks the registry itself, because the engine only gives a text. */
  diagnosePull: (
    pull: { image: string; registry: RegistryAccess; credentials: RegistryCredentials | null },
    error: Error,
  ) => Promise<ActionFailed>;
  /** Whether the disk that holds containers is full. */
  diskFull: () => Promise<boolean>;
}

export interface ExecuteContext {
  /** The snapshot that the action was planned against. */
  expected: ExpectedState;
  signal: AbortSignal;
  onPulling: () => void;
  /** Told before a container is asked to stop, with how long it may take. */
  onStopping: (containerId: string, graceMs: number) => void;
}

export type Execute = (action: ContainerAction, context: ExecuteContext) => Promise<void>;

export function executor(options: ExecuteOptions): Execute {
  const { podman } = options;
  return async (action, context) => {
    switch (action.kind) {
      case 'stop_orphan':
        if (!action.force) await stop(podman, action.containerId, context);
        return podman.remove(action.containerId, context.signal);
      case 'start':
        return step(options, 'start_failed', () => podman.start(action.containerId, context.signal));
      case 'deploy_missing':
        await pull(options, action.container, context);
        return createAndStart(options, action.container, context);
      case 'redeploy':
        // Pulled first: what runs keeps running while its successor is fetched.
        await pull(options, action.container, context);
        if (!action.force) await stop(podman, action.containerId, context);
        return podman.remove(action.containerId, context.signal);
    }
  };
}

/**
 * With the signal of its image and the grace that it was created with; what runs then is killed with its removal. Podman's own stop waits
 * inside of Podman, which does so for a few containers at once and lets every other stop and removal wait for those.
 */
async function stop(podman: ActionEngine, containerId: string, context: ExecuteContext): Promise<void> {
  const inspected = await podman.inspect(containerId);
  if (inspected === null) return;
  const { StopSignal, StopTimeout } = inspected.Config;
  const graceMs = StopTimeout * 1_000;
  if (graceMs === 0) return;
  context.onStopping(containerId, graceMs);
  if (await podman.kill(containerId, StopSignal, context.signal))
    await podman.ended(containerId, graceMs, context.signal);
}

async function pull(options: ExecuteOptions, container: ExpectedContainer, context: ExecuteContext): Promise<void> {
  const { image } = container;
  if (await options.podman.imageExists(image)) return;
  context.onPulling();
  const host = image.split('/')[0] ?? '';
  const unlisted = { host, insecure: false, sealedCredentials: null };
  const registry = context.expected.registries.find((one) => one.host === host) ?? unlisted;
  const credentials = unseal('registry_refused', `The password of registry ${host}`, () =>
    options.openCredentials(registry),
  );
  await options.onPull(image);
  try {
    await options.podman.pull({ image, insecure: registry.insecure, credentials, signal: context.signal });
  } catch (error) {
    const failed = error instanceof Error ? error : new Error(String(error));
    if (context.signal.aborted) throw new ActionFailed('pull_failed', String(context.signal.reason), failed);
    throw (await options.diskFull())
      ? diskIsFull(failed)
      : await options.diagnosePull({ image, registry, credentials }, failed);
  }
}

async function createAndStart(
  options: ExecuteOptions,
  container: ExpectedContainer,
  context: ExecuteContext,
): Promise<void> {
  const secrets = unseal('secrets_unreadable', `The secrets of ${container.serviceName}`, () =>
    options.openSecrets(container),
  );
  const { ulimits, cgroupParent } = options;
  const { network, names } = context.expected;
  const dnsServer = names === undefined ? null : network.gateway;
  const body = containerCreate(container, { network: network.name, dnsServer, secrets, ulimits, cgroupParent });
  const masked = { ...options, mask: textMask(Object.values(secrets)) };
  const containerId = await step(masked, 'create_failed', async () => {
    await options.ensureNetwork(network);
    return await options.podman.create(body, context.signal);
  });
  await step(masked, 'start_failed', () => options.podman.start(containerId, context.signal));
}

interface StepOptions extends Pick<ExecuteOptions, 'diskFull'> {
  /** The engine may repeat what it was given. */
  mask?: (text: string) => string;
}

const asItIs = (text: string): string => text;

async function step<T>(options: StepOptions, code: DetailCode, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const failed = new Error((options.mask ?? asItIs)(messageOf(error)));
    throw (await options.diskFull()) ? diskIsFull(failed) : new ActionFailed(code, failed.message, failed);
  }
}

function diskIsFull(cause: Error): ActionFailed {
  return new ActionFailed('disk_full', `The node's disk is full: ${cause.message} Free some space on it.`, cause);
}

function unseal<T>(code: DetailCode, what: string, open: () => T): T {
  try {
    return open();
  } catch (cause) {
    throw new ActionFailed(code, `${what} cannot be opened with this node's key. Register the node again.`, cause);
  }
}
