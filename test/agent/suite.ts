/** What tests of builds and of nodes begin with: a registry, and a BuildKit of their own with a client. */
import { afterAll } from 'vitest';
import { connectBuildKit, type BuildKitClient } from '../../agent/build/buildkit/client.ts';
import {
  startBuildKit,
  startRegistry,
  type BuildKitDaemon,
  type BuildKitOptions,
  type RegistryDaemon,
  type TestUser,
} from '../../agent/build/buildkit/testing.ts';
import { part } from '../parts.ts';
import { useForAll, useOpened } from '../suite.ts';

/** Asks for the password of this user. */
export function useRegistry(user: TestUser): RegistryDaemon {
  const registry = useForAll(async () => startRegistry(await part('docker-registry'), user));
  afterAll(() => registry.stop());
  return registry;
}

export interface OpenBuildKit {
  daemon: BuildKitDaemon;
  client: BuildKitClient;
  close(): Promise<void>;
}

/** @param registry Reached over plain HTTP. */
export function useBuildKit(registry?: RegistryDaemon): OpenBuildKit {
  return useOpened(() => openBuildKit(registry));
}

export async function openBuildKit(registry?: RegistryDaemon): Promise<OpenBuildKit> {
  const daemon = await startTestBuildKit(registry === undefined ? {} : { plainRegistries: [registry.host] });
  const client = connectBuildKit(daemon.address);
  return {
    daemon,
    client,
    async close() {
      client.close();
      await daemon.stop();
    },
  };
}

export async function startTestBuildKit(
  options: Omit<BuildKitOptions, 'buildkitd' | 'runc'> = {},
): Promise<BuildKitDaemon> {
  return startBuildKit({ buildkitd: await part('buildkitd'), runc: await part('runc'), ...options });
}
