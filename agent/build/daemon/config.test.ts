import { expect, it } from 'vitest';
import { renderDaemonConfig } from './config.ts';

it('renders the configuration of buildkitd', () => {
  const config = renderDaemonConfig({
    root: '/var/lib/landfall/buildkit/root',
    socketPath: '/var/lib/landfall/buildkitd.sock',
    insecureRegistries: ['registry.internal:5000', '127.0.0.1:5000'],
    cgroupParent: '/landfall-1-builds/steps',
    maxCacheBytes: 20_000_000_000,
    minFreeBytes: 2_000_000_000,
    maxParallelism: 4,
  });
  expect(config).toMatchInlineSnapshot(`
    "# Written by the Landfall agent at every start.
    root = "/var/lib/landfall/buildkit/root"

    [grpc]
    address = ["unix:///var/lib/landfall/buildkitd.sock"]

    [worker.oci]
    enabled = true
    binary = "runc"
    defaultCgroupParent = "/landfall-1-builds/steps"
    max-parallelism = 4
    gc = true
    maxUsedSpace = 20000000000
    minFreeSpace = 2000000000

    [worker.containerd]
    enabled = false

    [history]
    maxAge = 86400
    maxEntries = 50

    [registry."127.0.0.1:5000"]
    http = true
    insecure = true

    [registry."registry.internal:5000"]
    http = true
    insecure = true
    "
  `);
});
