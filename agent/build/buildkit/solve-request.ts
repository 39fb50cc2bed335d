/** What a build is asked with: the frontend, what it may read here, where its result goes. */
import type { ProgressEvent } from './progress.ts';

/** A directory that the daemon may read from this machine. */
export interface LocalDir {
  readonly path: string;
  /** Patterns of what is never sent, whatever the daemon asks for. */
  readonly excludePatterns?: readonly string[];
}

/** An exporter of the daemon, for example `{ type: 'image', attrs: { name, push: 'true' } }`. */
export interface Export {
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
}

/** A cache that the daemon reads or writes, for example `{ type: 'registry', attrs: { ref } }`. */
export interface CacheRef {
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
}

/** `*` in an identifier stands for any text: `docker-image://registry.example.com/*`. */
export interface SourceRule {
  readonly action: 'allow' | 'deny';
  readonly identifier: string;
}

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

export interface SolveRequest {
  readonly frontend: 'dockerfile.v0' | 'gateway.v0';
  readonly frontendAttrs: Readonly<Record<string, string>>;
  /** By the name that the frontend asks for: `context`, `dockerfile`. */
  readonly localDirs: Readonly<Record<string, LocalDir>>;
  /**
   * Builds with the same key share the copy of the context that the daemon keeps, so only differences are sent. Different
   * projects must use different keys: two files of one name, size and time count as the same.
   */
  readonly contextKey?: string;
  readonly exports: readonly Export[];
  readonly cacheImports: readonly CacheRef[];
  readonly cacheExports: readonly CacheRef[];
  readonly secrets: Readonly<Record<string, Uint8Array>>;
  /**
   * The daemon holds every source of the build against them, whoever names it: FROM, an argument in it, COPY --from, a frontend.
   * The last that fits decides; what none fits is allowed. Exports and caches are not sources.
   */
  readonly sourceRules?: readonly SourceRule[];
  registryAuth(host: string): RegistryCredentials | undefined;
  onProgress(event: ProgressEvent): void;
  /** Cancels the build in the daemon. A time limit is a signal too. */
  readonly signal: AbortSignal;
  /**
   * The cgroup below which the steps of a Dockerfile run, as a path from the root of the hierarchy: `/landfall/builds/42`.
   *
   * Steps run in `<cgroupParent>/buildkit/<id>`. Limits written to `<cgroupParent>` before the build (on v1
   * `memory.limit_in_bytes` and `cpu.cfs_quota_us`, on v2 `memory.max` and `cpu.max`) hold for all its steps together; a
   * process beyond the memory limit is killed, and its step fails with exit code 137. The daemon's own work (context,
   * layers, push) is limited by the cgroup that the daemon runs in. A frontend image (`gateway.v0`) may ignore this; the
   * daemon's `defaultCgroupParent` covers those.
   *
   * On v1 runc makes the cgroup in every mounted hierarchy, limited or not (`blkio`, `cpuset`, `unified`, …), and leaves
   * it there: whoever gave the name removes `<cgroupParent>/buildkit` and `<cgroupParent>` from each. A name that ends in
   * `.slice:` asks for systemd's driver.
   */
  readonly cgroupParent?: string;
}

export interface SolveResult {
  readonly imageDigest: string | null;
  readonly exporterResponse: Readonly<Record<string, string>>;
}
