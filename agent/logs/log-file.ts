/** A log file of the engine, held open: what was written to it can be read to its end, also after it was replaced or removed. */
import { open, stat } from 'node:fs/promises';
import { ifThere } from '../../platform/files/if-there.ts';

export interface LogFile {
  readonly containerId: string;
  readonly inode: number;
  readonly size: () => Promise<number>;
  /** From this byte on; no more than fits, and nothing at the end. Gives how many it read. */
  readonly read: (into: Buffer, at: number) => Promise<number>;
  readonly close: () => Promise<void>;
}

/** Null while there is none. */
export async function openLogFile(path: string, containerId: string): Promise<LogFile | null> {
  const handle = await ifThere(open(path, 'r'));
  if (handle === null) return null;
  const { ino } = await handle.stat();
  return {
    containerId,
    inode: ino,
    size: async () => (await handle.stat()).size,
    read: async (into, at) => (await handle.read(into, 0, into.length, at)).bytesRead,
    close: () => handle.close(),
  };
}

/** Of the file that is there now; null while there is none. */
export async function inodeOf(path: string): Promise<number | null> {
  return (await ifThere(stat(path)))?.ino ?? null;
}
