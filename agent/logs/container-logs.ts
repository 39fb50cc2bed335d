/** Follows the log files of our containers and ships what is new, also the last words of those that are gone. */
import type { SecretMask } from '../../core/log/mask.ts';
import type { SeenContainer } from '../podman/observe.ts';
import { chunkBytes } from './cri.ts';
import type { Cursor } from './cursors.ts';
import { Follower } from './follower.ts';
import type { LogShipper } from './shipper.ts';

export interface ContainerLogs {
  /** Reads what is new in the logs of these containers, and the rest of those that were there before; one call at a time. */
  readonly follow: (seen: readonly SeenContainer[]) => Promise<void>;
  /** To be kept on disk. */
  readonly cursors: () => Record<string, Cursor>;
  readonly close: () => Promise<void>;
}

export interface ContainerLogsOptions {
  shipper: Pick<LogShipper, 'open'>;
  cursors: Readonly<Record<string, Cursor>>;
  /** Null: what the container writes is not to be read. */
  maskOf: (allocationId: string) => SecretMask | null;
  now: () => Date;
}

/** Of all containers; past that, each has no more than what it reads at once. */
const maxWaitingBytes = 8 * 1024 ** 2;
/** Logs that have ended, and whose numbers are known, should their allocation come back. */
const maxEnded = 200;

export function containerLogs(options: ContainerLogsOptions): ContainerLogs {
  const followed = new Map<string, Follower>();
  const ended = new Map<string, Cursor>();
  const buffer = Buffer.alloc(chunkBytes);
  const isCrowded = (): boolean =>
    [...followed.values()].reduce((sum, one) => sum + one.waitingBytes(), 0) >= maxWaitingBytes;

  const start = ({ allocationId, local: { containerId } }: SeenContainer): Follower => {
    const none = { containerId, inode: 0, bytes: 0, nextOffset: 0 };
    const cursor = ended.get(allocationId) ?? options.cursors[allocationId] ?? none;
    const { shipper, now } = options;
    const one = new Follower({ shipper, allocationId, cursor, isCrowded, buffer, now });
    followed.set(allocationId, one);
    return one;
  };
  const finish = async (allocationId: string, one: Follower): Promise<void> => {
    await one.follow(null);
    if (!one.isOver()) return;
    followed.delete(allocationId);
    ended.delete(allocationId);
    ended.set(allocationId, one.cursor());
    const [oldest] = ended.keys();
    if (ended.size > maxEnded && oldest !== undefined) ended.delete(oldest);
    void one.end();
  };

  return {
    follow: async (seen) => {
      for (const one of seen) {
        const { allocationId, logPath: path } = one;
        if (path === null) continue;
        const { containerId } = one.local;
        const follower = followed.get(allocationId) ?? start(one);
        await follower.follow({ containerId, path, mask: options.maskOf(allocationId) });
      }
      const present = new Set(seen.map(({ allocationId }) => allocationId));
      for (const [allocationId, one] of followed) if (!present.has(allocationId)) await finish(allocationId, one);
    },
    cursors: () => Object.fromEntries([...followed].map(([allocationId, one]) => [allocationId, one.cursor()])),
    close: async () => {
      for (const one of followed.values()) await one.close();
    },
  };
}
