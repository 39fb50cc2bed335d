/** The node's BuildKit: an address that was given, or a daemon of our own that is started when the agent starts. */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../platform/errors/classify.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { removeCgroup, type CgroupHost } from '../cgroup/cgroup.ts';
import { findProgram } from '../process/find-program.ts';
import { connectBuildKit, type BuildKitClient } from './buildkit/client.ts';
import { startDaemon, type Daemon } from './daemon/daemon.ts';
import { BuildFailed } from './failure.ts';

export type BuilderChoice =
  | { kind: 'none' }
  /** `unix://…`; it runs its steps where its own configuration says, below the cgroup that each build names. */
  | { kind: 'address'; address: string }
  | { kind: 'supervised'; program: string };

export interface BuilderOptions {
  choice: BuilderChoice;
  dataDir: string;
  env: Readonly<Record<string, string>>;
  cgroups: CgroupHost;
  /** The cgroup above the daemon and all builds. */
  cgroup: string;
  memoryBytes: number;
  concurrency: number;
  insecureRegistries: () => readonly string[];
  /** What the daemon says. */
  onLine: (line: string) => void;
  log: (line: string) => void;
}

export interface Builder {
  /** Builds can be made here now. */
  readonly isReady: () => boolean;
  /** Rejects with BuildFailed when there is no daemon. */
  readonly client: () => Promise<BuildKitClient>;
  readonly close: () => Promise<void>;
}

interface Connection {
  client: BuildKitClient;
  daemon: Daemon | null;
}

/** @param onReady Called once, when the daemon answers. */
export function openBuilder(options: BuilderOptions, onReady: () => void): Builder {
  if (options.choice.kind === 'none') return noBuilder;
  let ready = false;
  const connection = connect(options, options.choice);
  connection.then(
    () => {
      ready = true;
      onReady();
    },
    (error: unknown) => {
      const hint = error instanceof StalledError && error.hint !== null ? ` ${error.hint}` : '';
      options.log(`${messageOf(error)}${hint} This node makes no builds.`);
    },
  );
  return {
    isReady: () => ready,
    client: async () => {
      try {
        const { client } = await connection;
        await untilAnswers(client);
        return client;
      } catch (cause) {
        throw new BuildFailed('builder_unavailable', messageOf(cause), { cause });
      }
    },
    close: async () => {
      // Why there is none was told when it failed.
      const opened = await connection.catch(() => null);
      opened?.client.close();
      if (opened === null || opened.daemon === null) return;
      await opened.daemon.stop();
      await removeCgroup(options.cgroups, options.cgroup);
    },
  };
}

const answersWithinMs = 20_000;

/** A daemon that has just ended is started again: a build waits for it, for a while. */
async function untilAnswers(client: BuildKitClient): Promise<void> {
  const until = performance.now() + answersWithinMs;
  for (;;) {
    try {
      await client.info();
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
    }
    await delay(100);
  }
}

const noBuilder: Builder = {
  isReady: () => false,
  client: () => Promise.reject(new BuildFailed('builder_unavailable', 'This agent was started without builds.')),
  close: () => Promise.resolve(),
};

async function connect(options: BuilderOptions, choice: Exclude<BuilderChoice, { kind: 'none' }>): Promise<Connection> {
  if (choice.kind === 'address') {
    const client = connectBuildKit(choice.address);
    await client.info();
    return { client, daemon: null };
  }
  const program = await findProgram(choice.program, options.env);
  if (program === null) {
    throw new StalledError('builder_unavailable', `${choice.program} is not on this node.`, {
      hint: 'Install BuildKit (buildkitd) and runc, or start the agent with --no-build.',
    });
  }
  const daemon = await startDaemon({
    ...options,
    program,
    insecureRegistries: options.insecureRegistries(),
    maxParallelism: Math.max(2, options.concurrency * 2),
  });
  return { client: connectBuildKit(daemon.address), daemon };
}
