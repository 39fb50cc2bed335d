/** Follows the log files of our containers and ships what is new. The file is the buffer: nothing is read that cannot be sent. */
import { open } from 'node:fs/promises';
import type { SeenContainer } from '../podman/observe.ts';
import { parseCri } from './cri.ts';
import type { Cursor } from './cursors.ts';
import type { LogShipper, LogStream } from './shipper.ts';

export interface ContainerLogs {
  /** Reads what is new in the logs of these containers; one call at a time. */
  readonly follow: (seen: readonly SeenContainer[]) => Promise<void>;
  /** To be kept on disk. */
  readonly cursors: () => Record<string, Cursor>;
}

export interface ContainerLogsOptions {
  shipper: Pick<LogShipper, 'open'>;
  cursors: Readonly<Record<string, Cursor>>;
  /** Null: what the container writes is not to be read. */
  maskOf: (allocationId: string) => ((text: string) => string) | null;
}

interface Followed {
  stream: LogStream;
  /** Up to where the file was read; the cursor says up to where it was taken. */
  readAt: Cursor;
  taken: Cursor;
  /** Where each line that is under way ends. */
  ends: { offset: number; cursor: Cursor }[];
}

const maxWaitingLines = 1_000;
/** Well below what the shipper holds of a stream: it never drops what the file still has. */
const maxWaitingBytes = 1024 ** 2;
const chunkBytes = 256 * 1_024;

export function containerLogs(options: ContainerLogsOptions): ContainerLogs {
  const followed = new Map<string, Followed>();

  const followOne = async (seen: SeenContainer): Promise<void> => {
    if (seen.logPath === null) return;
    const { allocationId } = seen;
    const one = followed.get(allocationId) ?? start(seen);
    const mask = options.maskOf(allocationId);
    if (mask === null || one.stream.isClosed() || isFull(one)) return;
    const chunk = await readFrom(seen.logPath, seen.local.containerId, one.readAt);
    if (chunk === null || chunk.bytes.length === 0) return;
    const { lines, consumed } = parseCri(chunk.bytes);
    let { nextOffset } = one.readAt;
    for (const { endsAt } of lines) {
      nextOffset += 1;
      one.ends.push({ offset: nextOffset, cursor: { ...chunk.from, bytes: chunk.from.bytes + endsAt, nextOffset } });
    }
    one.readAt = { ...chunk.from, bytes: chunk.from.bytes + consumed, nextOffset };
    one.stream.push(lines.map(({ line }) => ({ ...line, text: mask(line.text) })));
  };
  const start = (seen: SeenContainer): Followed => {
    const { allocationId, local } = seen;
    const taken = options.cursors[allocationId] ?? {
      containerId: local.containerId,
      inode: 0,
      bytes: 0,
      nextOffset: 0,
    };
    const stream = options.shipper.open({
      kind: 'allocation',
      id: allocationId,
      attempt: 0,
      startOffset: taken.nextOffset,
      onAcknowledged: (nextOffset) => {
        const reached = one.ends.findLast(({ offset }) => offset <= nextOffset);
        if (reached === undefined) return;
        one.taken = reached.cursor;
        one.ends = one.ends.filter(({ offset }) => offset > nextOffset);
      },
    });
    const one: Followed = { stream, readAt: taken, taken, ends: [] };
    followed.set(allocationId, one);
    return one;
  };

  return {
    follow: async (seen) => {
      for (const one of seen) await followOne(one);
      const present = new Set(seen.map(({ allocationId }) => allocationId));
      for (const [allocationId, { stream, ends }] of followed) {
        if (present.has(allocationId) || (ends.length > 0 && !stream.isClosed())) continue;
        followed.delete(allocationId);
        void stream.end();
      }
    },
    cursors: () => Object.fromEntries([...followed].map(([allocationId, { taken }]) => [allocationId, taken])),
  };
}

function isFull({ ends, readAt, taken }: Followed): boolean {
  const isSameFile = taken.inode === 0 || taken.inode === readAt.inode;
  const bytes = isSameFile ? readAt.bytes - taken.bytes : 0;
  return ends.length >= maxWaitingLines || bytes >= maxWaitingBytes;
}

/** Another container, or a file that was begun anew, is read from its start; null while there is no file. */
async function readFrom(
  file: string,
  containerId: string,
  at: Cursor,
): Promise<{ bytes: Buffer; from: Cursor } | null> {
  const handle = await openIfThere(file);
  if (handle === null) return null;
  try {
    const { ino, size } = await handle.stat();
    const same = at.containerId === containerId && (at.inode === ino || at.inode === 0) && at.bytes <= size;
    const from = { containerId, inode: ino, bytes: same ? at.bytes : 0, nextOffset: at.nextOffset };
    const buffer = Buffer.alloc(Math.min(chunkBytes, size - from.bytes));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from.bytes);
    return { bytes: buffer.subarray(0, bytesRead), from };
  } finally {
    await handle.close();
  }
}

async function openIfThere(file: string) {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
