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
  registryAuth(host: string): RegistryCredentials | undefined;
  onProgress(event: ProgressEvent): void;
  /** Cancels the build in the daemon. A time limit is a signal too. */
  readonly signal: AbortSignal;
  /**
   * The cgroup below which every step runs, as a path from the root of the hierarchy: `/landfall/builds/42`.
   *
   * On cgroup v1 it is made in each controller, on v2 in the one hierarchy; steps run in `<cgroupParent>/buildkit/<id>`.
   * Limits written to that cgroup before the build (memory, CPU) hold for all its steps together, and for the steps alone:
   * the daemon's own work (unpacking, compressing, the context) is limited by the cgroup the daemon runs in. A name
   * that ends in `.slice:` means systemd's driver, which is not used here.
   */
  readonly cgroupParent?: string;
}

export interface SolveResult {
  readonly imageDigest: string | null;
  readonly exporterResponse: Readonly<Record<string, string>>;
}
