/** Follows the log of one allocation, from file to file and from container to container, no further than what waits to be taken. */
import type { LogLine } from '../../core/contract/logs.ts';
import type { SecretMask } from '../../core/log/mask.ts';
import { criReader, outputs, type CriReader, type Place } from './cri.ts';
import type { Cursor } from './cursors.ts';
import { inodeOf, openLogFile, type LogFile } from './log-file.ts';
import type { LogShipper } from './shipper.ts';

/** What writes the log now. */
export interface LogWriter {
  containerId: string;
  path: string;
  /** Null: what it writes is not to be read. */
  mask: SecretMask | null;
}

export interface Follower {
  /** Reads what is new; the writer is null when there is none any more. One call at a time. */
  readonly follow: (writer: LogWriter | null) => Promise<void>;
  /** Everything was read and taken, or is not wanted. */
  readonly isOver: () => boolean;
  /** Of lines that were read and are not taken. */
  readonly waitingBytes: () => number;
  /** Up to where everything is taken. */
  readonly cursor: () => Cursor;
  /** Lets go of the file; what was read is still sent. */
  readonly close: () => Promise<void>;
  /** It is over. Settles when the control plane knows. */
  readonly end: () => Promise<void>;
}

export interface FollowerOptions {
  shipper: Pick<LogShipper, 'open'>;
  allocationId: string;
  cursor: Cursor;
  /** Others have so much waiting that it is to read no more than it has to. */
  isCrowded: () => boolean;
  /** For what is read; its content is nobody's between two reads. */
  buffer: Buffer;
  now: () => Date;
}

interface Reading {
  file: LogFile;
  reader: CriReader;
}

interface AfterLoss {
  file: LogFile;
  mask: SecretMask;
  cut: Place['cut'];
}

interface Waiting {
  /** Of the line after these. */
  nextOffset: number;
  cursor: Cursor;
  lines: number;
  bytes: number;
}

/** Well below what the shipper holds of a stream: it never drops what the file still has. */
const maxWaiting = { lines: 4_000, bytes: 1024 ** 2 };
const lossNote =
  '[landfall: lines are missing here: the container wrote more than is kept on the node before it could be read]';

export function follower({ cursor, ...options }: FollowerOptions): Follower {
  let reading: Reading | null = null;
  /** The first file that was seen after the one that is read. */
  let successor: FileId | null = null;
  let taken = cursor;
  let { nextOffset } = cursor;
  let waiting: Waiting[] = [];
  const stream = options.shipper.open({
    ...{ kind: 'allocation', id: options.allocationId, attempt: 0, startOffset: nextOffset },
    onAcknowledged: (next) => {
      taken = waiting.findLast((one) => one.nextOffset <= next)?.cursor ?? taken;
      waiting = waiting.filter((one) => one.nextOffset > next);
    },
  });

  const waitingBytes = (): number => waiting.reduce((sum, { bytes }) => sum + bytes, 0);
  const isFull = (): boolean =>
    waitingBytes() >= maxWaiting.bytes ||
    waiting.reduce((sum, { lines }) => sum + lines, 0) >= maxWaiting.lines ||
    (waiting.length > 0 && options.isCrowded());
  const push = (lines: readonly LogLine[], file: LogFile, place: () => Place): void => {
    if (lines.length === 0) return;
    nextOffset += lines.length;
    const bytes = lines.reduce((sum, { text }) => sum + text.length, 0);
    waiting.push({ nextOffset, cursor: cursorOf(file, place()), lines: lines.length, bytes });
    stream.push(lines);
  };
  /** True at the end of the file. */
  const readOn = async ({ file, reader }: Reading): Promise<boolean> => {
    while (!isFull()) {
      const bytes = await file.read(options.buffer, reader.bytes());
      const { lines, consumed } = reader.read(options.buffer.subarray(0, bytes));
      push(lines, file, reader.place);
      if (consumed === 0) return true;
    }
    return false;
  };
  const beginAfterLoss = ({ file, mask, cut }: AfterLoss): Reading => {
    const place = { bytes: 0, nextOffset: nextOffset + 1, cut };
    push([{ at: options.now().toISOString(), text: lossNote, error: true }], file, () => place);
    return { file, reader: criReader(place, mask) };
  };
  /** Null while there is no file. */
  const begin = async ({ path, containerId, mask }: LogWriter): Promise<Reading | null> => {
    const file = mask === null ? null : await openLogFile(path, containerId);
    if (mask === null || file === null) return null;
    const expected = successor;
    successor = null;
    if (expected !== null && !isSame(expected, file))
      return beginAfterLoss({ file, mask, cut: expected.containerId === containerId ? outputs : [] });
    const isKnown = taken.containerId === containerId && taken.inode !== 0;
    if (!isKnown) return { file, reader: criReader({ bytes: 0, nextOffset, cut: [] }, mask) };
    const goesOn = taken.inode === file.inode && taken.bytes <= (await file.size());
    if (!goesOn) return beginAfterLoss({ file, mask, cut: outputs });
    return { file, reader: criReader({ bytes: taken.bytes, nextOffset, cut: taken.cut ?? [] }, mask) };
  };
  /** Whether nothing more is written to the file. */
  const isLeft = async ({ file }: Reading, writer: LogWriter | null): Promise<boolean> => {
    if (writer === null) return true;
    const inode = await inodeOf(writer.path);
    const next = { containerId: writer.containerId, inode: inode ?? 0 };
    if (inode !== null && !isSame(next, file)) successor ??= next;
    return writer.containerId !== file.containerId || (inode !== null && inode !== file.inode);
  };
  /** Its container is gone, or goes on in another file. */
  const leave = async ({ file, reader }: Reading, writer: LogWriter | null): Promise<void> => {
    if (writer?.containerId !== file.containerId) {
      push(reader.close(), file, reader.place);
      reading = null;
      return file.close();
    }
    const next = await openLogFile(writer.path, writer.containerId);
    if (next === null) return;
    await file.close();
    if (successor === null || isSame(successor, next)) {
      successor = null;
      reader.turn();
      reading = { file: next, reader };
    } else {
      reading = null;
      await next.close();
    }
  };
  const closeFile = async (): Promise<void> => {
    const { file } = reading ?? {};
    reading = null;
    await file?.close();
  };

  return {
    follow: async (writer) => {
      if (stream.isClosed()) return closeFile();
      for (;;) {
        reading ??= writer === null ? null : await begin(writer);
        if (reading === null) return;
        const isOfOld = await isLeft(reading, writer);
        if (!(await readOn(reading)) || !isOfOld) return;
        await leave(reading, writer);
      }
    },
    isOver: () => stream.isClosed() || (reading === null && waiting.length === 0),
    waitingBytes,
    cursor: () => taken,
    close: closeFile,
    end: () => stream.end(),
  };
}

function cursorOf({ containerId, inode }: LogFile, { bytes, nextOffset, cut }: Place): Cursor {
  return { containerId, inode, bytes, nextOffset, ...(cut.length === 0 ? {} : { cut: [...cut] }) };
}

interface FileId {
  containerId: string;
  inode: number;
}

function isSame(one: FileId, other: FileId): boolean {
  return one.containerId === other.containerId && one.inode === other.inode;
}
