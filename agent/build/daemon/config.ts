/** Renders the configuration of the BuildKit daemon that the agent runs. */

export interface DaemonConfig {
  root: string;
  socketPath: string;
  /** Registries reached over plain HTTP, for `FROM` lines that name them. */
  insecureRegistries: readonly string[];
  cgroupParent: string;
  /** Bytes of build cache that are kept. */
  maxCacheBytes: number;
  /** Bytes of the disk that collecting the cache tries to leave free. */
  minFreeBytes: number;
  maxParallelism: number;
}

export function renderDaemonConfig(config: DaemonConfig): string {
  const lines = [
    '# Written by the Landfall agent at every start.',
    `root = ${text(config.root)}`,
    '',
    '[grpc]',
    `address = [${text(`unix://${config.socketPath}`)}]`,
    '',
    '[worker.oci]',
    'enabled = true',
    'binary = "runc"',
    `defaultCgroupParent = ${text(config.cgroupParent)}`,
    `max-parallelism = ${config.maxParallelism}`,
    'gc = true',
    `maxUsedSpace = ${config.maxCacheBytes}`,
    `minFreeSpace = ${config.minFreeBytes}`,
    '',
    '[worker.containerd]',
    'enabled = false',
    '',
    // Provenance from the machine's own files would make images differ from node to node.
    '[history]',
    'maxAge = 86400',
    'maxEntries = 50',
  ];
  const registries = config.insecureRegistries
    .toSorted()
    .flatMap((host) => ['', `[registry.${text(host)}]`, 'http = true', 'insecure = true']);
  return [...lines, ...registries, ''].join('\n');
}

/** A TOML basic string. */
function text(value: string): string {
  return JSON.stringify(value);
}

/** Of one step, past which the daemon drops what it writes: several times what is kept of a build, so that a long log has its end. */
const stepLog = { bytes: 64 * 1024 ** 2, bytesPerSecond: 8 * 1024 ** 2 };

/** What has no place in the configuration. BuildKit's own bounds would cut a log off long before the agent's (200 KiB/s, 2 MiB). */
export const daemonVariables: Readonly<Record<string, string>> = {
  BUILDKIT_STEP_LOG_MAX_SIZE: String(stepLog.bytes),
  BUILDKIT_STEP_LOG_MAX_SPEED: String(stepLog.bytesPerSecond),
};
