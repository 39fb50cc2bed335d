/** Finds out why an image could not be pulled by asking the registry itself: the engine's answer is only a text. */
import type { RegistryAccess } from '../../core/contract/expected-state.ts';
import { ActionFailed } from '../loop/failure.ts';
import type { RegistryCredentials } from './credentials.ts';
import { askRegistry } from './access.ts';
import { manifestTypes } from './manifest.ts';

export interface FailedPull {
  /** `registry/repository@sha256:…` */
  image: string;
  registry: RegistryAccess;
  credentials: RegistryCredentials | null;
}

export async function diagnosePull(pull: FailedPull, error: Error): Promise<ActionFailed> {
  const { host } = pull.registry;
  const status = await manifestStatus(pull);
  if (status === 401 || status === 403) {
    const who = pull.credentials === null ? 'without a password' : `as ${pull.credentials.username}`;
    const message = `The registry ${host} does not let this node pull ${who} (${status}). Check the registry's credentials.`;
    return new ActionFailed('registry_refused', message, error);
  }
  if (status === 404) {
    const message = `The image ${pull.image} is not in its registry any more. Run the check again at GitHub: the commit is built anew.`;
    return new ActionFailed('image_missing', message, error);
  }
  const message =
    status === null
      ? `The registry ${host} cannot be reached from this node: ${error.message}`
      : `The image ${pull.image} could not be pulled: ${error.message}`;
  return new ActionFailed('pull_failed', message, error);
}

/** The registry's answer to a question for this very image; null when there was none. */
async function manifestStatus({ image, registry, credentials }: FailedPull): Promise<number | null> {
  const { host, insecure } = registry;
  const [repository = '', digest = ''] = image.slice(host.length + 1).split('@');
  try {
    return (await askRegistry({ host, insecure, credentials }, `${repository}/manifests/${digest}`, manifestTypes))
      .status;
  } catch {
    // Whatever the network did: the registry gave no answer.
    return null;
  }
}
