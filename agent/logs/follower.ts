/** Follows the log of one allocation, from file to file and from container to container, no further than what waits to be taken. */
import type { SecretMask } from '../../core/log/mask.ts';
import { outputs } from './cri-record.ts';
import { CriReader, type Place } from './cri.ts';
import type { Cursor } from './cursors.ts';
import { inodeOf, openLogFile, type LogFile } from './log-file.ts';
import type { LogShipper } from './shipper.ts';
import { WaitingLines } from './waiting-lines.ts';

/** What writes the log now. */
export interface LogWriter {
  containerId: string;
  path: string;
  /** Null: what it writes is not to be read. */
  mask: SecretMask | null;
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

const lossNote =
  '[landfall: lines are missing here: the container wrote more than is kept on the node before it could be read]';

export class Follower {
  readonly #options: FollowerOptions;
  readonly #waiting: WaitingLines;
  #reading: Reading | null = null;
  /** The first file that was seen after the one that is read. */
  #successor: FileId | null = null;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#waiting = new WaitingLines(options.shipper, options.allocationId, options.cursor);
  }

  /** Reads what is new; the writer is null when there is none any more. One call at a time. */
  async follow(writer: LogWriter | null): Promise<void> {
    if (this.#waiting.isClosed) return this.close();
    for (;;) {
      this.#reading ??= writer === null ? null : await this.#begin(writer);
      if (this.#reading === null) return;
      const isOfOld = await this.#isLeft(this.#reading, writer);
      if (!(await this.#readOn(this.#reading)) || !isOfOld) return;
      await this.#leave(this.#reading, writer);
    }
  }

  /** Everything was read and taken, or is not wanted. */
  isOver(): boolean {
    return this.#waiting.isClosed || (this.#reading === null && this.#waiting.isEmpty);
  }

  /** Of lines that were read and are not taken. */
  waitingBytes(): number {
    return this.#waiting.bytes;
  }

  /** Up to where everything is taken. */
  cursor(): Cursor {
    return this.#waiting.taken;
  }

  /** Lets go of the file; what was read is still sent. */
  async close(): Promise<void> {
    const { file } = this.#reading ?? {};
    this.#reading = null;
    await file?.close();
  }

  /** It is over. Settles when the control plane knows. */
  end(): Promise<void> {
    return this.#waiting.end();
  }

  /** Null while there is no file. */
  async #begin({ path, containerId, mask }: LogWriter): Promise<Reading | null> {
    const file = mask === null ? null : await openLogFile(path, containerId);
    if (mask === null || file === null) return null;
    const expected = this.#successor;
    this.#successor = null;
    if (expected !== null && !isSame(expected, file))
      return this.#beginAfterLoss({ file, mask, cut: expected.containerId === containerId ? outputs : [] });
    const { read, nextOffset } = this.#waiting;
    const isKnown = read.containerId === containerId && read.inode !== 0;
    if (!isKnown) return { file, reader: new CriReader({ bytes: 0, nextOffset, cut: [] }, mask) };
    const goesOn = read.inode === file.inode && read.bytes <= (await file.size());
    if (!goesOn) return this.#beginAfterLoss({ file, mask, cut: outputs });
    return { file, reader: new CriReader({ bytes: read.bytes, nextOffset, cut: read.cut ?? [] }, mask) };
  }

  #beginAfterLoss({ file, mask, cut }: AfterLoss): Reading {
    const place = { bytes: 0, nextOffset: this.#waiting.nextOffset + 1, cut };
    const note = { at: this.#options.now().toISOString(), text: lossNote, error: true };
    this.#waiting.push([note], cursorOf(file, place));
    return { file, reader: new CriReader(place, mask) };
  }

  /** True at the end of the file. */
  async #readOn({ file, reader }: Reading): Promise<boolean> {
    const { buffer } = this.#options;
    while (!this.#isFull()) {
      const bytes = await file.read(buffer, reader.bytes);
      const { lines, consumed } = reader.read(buffer.subarray(0, bytes));
      this.#waiting.push(lines, cursorOf(file, reader.place()));
      if (consumed === 0) return true;
    }
    return false;
  }

  #isFull(): boolean {
    return this.#waiting.isFull || (!this.#waiting.isEmpty && this.#options.isCrowded());
  }

  /** Whether nothing more is written to the file. */
  async #isLeft({ file }: Reading, writer: LogWriter | null): Promise<boolean> {
    if (writer === null) return true;
    const inode = await inodeOf(writer.path);
    const next = { containerId: writer.containerId, inode: inode ?? 0 };
    if (inode !== null && !isSame(next, file)) this.#successor ??= next;
    return writer.containerId !== file.containerId || (inode !== null && inode !== file.inode);
  }

  /** Its container is gone, or goes on in another file. */
  async #leave({ file, reader }: Reading, writer: LogWriter | null): Promise<void> {
    if (writer?.containerId !== file.containerId) {
      this.#waiting.push(reader.close(), cursorOf(file, reader.place()));
      return this.close();
    }
    const next = await openLogFile(writer.path, writer.containerId);
    if (next === null) return;
    await file.close();
    if (this.#successor === null || isSame(this.#successor, next)) {
      this.#successor = null;
      reader.turn();
      this.#reading = { file: next, reader };
    } else {
      this.#reading = null;
      await next.close();
    }
  }
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
