import { appendFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it, onTestFinished } from 'vitest';
import { pathFilter } from '../context/path-filter.ts';
import { ContextFileError } from './context-file.ts';
import { transferContext, TransferRefusedError } from './context-transfer.ts';
import { PacketSchema, type Packet } from './gen/filesync_pb.ts';
import { frameReader } from './grpc-frame.ts';
import type { StreamCall } from './grpc-server.ts';
import { packetType } from './packet.ts';

type React = (packet: Packet, receiver: Receiver) => void;

/** The daemon's side of a transfer: keeps what is sent, and asks for what a test wants. */
class Receiver implements StreamCall {
  readonly packets: Packet[] = [];
  private readonly reader = frameReader();
  private readonly outbox: Buffer[] = [];
  private wake: () => void = () => undefined;
  private ended = false;
  private readonly react: React;

  constructor(react: React) {
    this.react = react;
  }

  readonly header = (): readonly string[] => [];

  readonly messages = this.deliver();

  readonly write = (frames: Buffer): undefined => {
    for (const message of this.reader.push(Buffer.from(frames))) {
      const packet = fromBinary(PacketSchema, message);
      this.packets.push(packet);
      this.react(packet, this);
    }
  };

  send(type: number, id = 0): void {
    this.outbox.push(Buffer.from(toBinary(PacketSchema, create(PacketSchema, { type, id }))));
    this.wake();
  }

  end(): void {
    this.ended = true;
    this.wake();
  }

  private async *deliver(): AsyncGenerator<Buffer> {
    for (;;) {
      const message = this.outbox.shift();
      if (message !== undefined) yield message;
      else if (this.ended) return;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  contentOf(id: number): Buffer {
    const data = this.packets.filter((packet) => packet.type === packetType.data && packet.id === id);
    expect(data.at(-1)?.data).toHaveLength(0);
    return Buffer.concat(data.map((packet) => packet.data));
  }
}

function isEndOfStats(packet: Packet): boolean {
  return packet.type === packetType.stat && packet.stat === undefined;
}

/** Asks for these entries once all were announced, and finishes when each has come. */
function asking(ids: readonly number[], before: () => void = () => undefined): Receiver {
  const missing = new Set(ids);
  return new Receiver((packet, receiver) => {
    if (isEndOfStats(packet)) {
      before();
      for (const id of ids) receiver.send(packetType.request, id);
      if (ids.length === 0) receiver.send(packetType.finished);
    }
    if (packet.type !== packetType.data || packet.data.length > 0) return;
    missing.delete(packet.id);
    if (missing.size === 0) receiver.send(packetType.finished);
  });
}

function rootWith(files: Readonly<Record<string, string | Buffer>>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'landfall-transfer-')));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(files)) writeFileSync(join(root, path), content);
  return root;
}

const everything = pathFilter([]);

describe('a transfer', () => {
  it('announces every entry in order, then nothing, and answers the end', async () => {
    const root = rootWith({ b: '', a: '' });
    mkdirSync(join(root, 'c'));
    const receiver = asking([]);
    await transferContext(receiver, root, everything);
    expect(receiver.packets.map(({ type, stat }) => [type, stat?.path])).toEqual([
      [packetType.stat, 'a'],
      [packetType.stat, 'b'],
      [packetType.stat, 'c'],
      [packetType.stat, undefined],
      [packetType.finished, undefined],
    ]);
  });

  it('sends the bytes of the files that are asked for, and of no others', async () => {
    const large = randomBytes(3 * 1024 * 1024 + 7);
    const small = randomBytes(32 * 1024);
    const receiver = asking([1, 2, 3]);
    await transferContext(receiver, rootWith({ 0: 'unasked', 1: '', 2: small, 3: large }), everything);
    expect(receiver.contentOf(1)).toHaveLength(0);
    expect(receiver.contentOf(2).equals(small)).toBe(true);
    expect(receiver.contentOf(3).equals(large)).toBe(true);
    expect(receiver.packets.filter(({ type, id }) => type === packetType.data && id === 0)).toEqual([]);
  });

  it('serves requests for thousands of files', async () => {
    const names = Array.from({ length: 3000 }, (_, index) => String(index).padStart(4, '0'));
    const receiver = asking(names.map((_, index) => index));
    await transferContext(
      receiver,
      rootWith(Object.fromEntries(names.map((name) => [name, `content of ${name}`]))),
      everything,
    );
    expect(names.map((_, index) => String(receiver.contentOf(index)))).toEqual(
      names.map((name) => `content of ${name}`),
    );
  });
});

describe('a context that changes while it is sent', () => {
  const large = Buffer.alloc(100_000, 'x');

  it.each<[string, string | Buffer, (path: string) => void]>([
    ['a small file that vanished', 'small', rmSync],
    ['a large file that vanished', large, rmSync],
    ['a small file that grew', 'small', (path) => appendFileSync(path, 'more')],
    ['a large file that grew', large, (path) => appendFileSync(path, large)],
    ['a small file that shrank', 'small', (path) => writeFileSync(path, 's')],
    ['a large file that shrank', large, (path) => writeFileSync(path, 's')],
    [
      'P69: a file replaced by a symlink that leads out',
      'small',
      (path) => {
        rmSync(path);
        symlinkSync('/etc/hostname', path);
      },
    ],
    [
      'a file replaced by a directory',
      'small',
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
  ])('%s is an error that both sides learn', async (_, content, change) => {
    const root = rootWith({ file: content });
    const receiver = asking([0], () => change(join(root, 'file')));
    await expect(transferContext(receiver, root, everything)).rejects.toThrow(ContextFileError);
    const last = receiver.packets.at(-1);
    expect(last?.type).toBe(packetType.error);
    expect(Buffer.from(last?.data ?? []).toString()).toMatch(
      /^file: the file (vanished|changed) while the context was sent$/,
    );
  });

  it('P69: a directory replaced by a symlink that leads out is never read through', async () => {
    const outside = rootWith({ file: 'secret' });
    const root = rootWith({});
    mkdirSync(join(root, 'd'));
    writeFileSync(join(root, 'd', 'file'), 'public');
    const receiver = asking([1], () => {
      rmSync(join(root, 'd'), { recursive: true });
      symlinkSync(outside, join(root, 'd'));
    });
    await expect(transferContext(receiver, root, everything)).rejects.toThrow('d/file: the file changed');
    expect(receiver.packets.some(({ data }) => Buffer.from(data).includes('secret'))).toBe(false);
  });
});

describe('a daemon that misbehaves', () => {
  it.each<[string, React]>([
    ['gives up', (packet, receiver) => isEndOfStats(packet) && receiver.send(packetType.error)],
    ['asks for what is no file', (packet, receiver) => isEndOfStats(packet) && receiver.send(packetType.request, 99)],
    ['goes away', (packet, receiver) => isEndOfStats(packet) && receiver.end()],
  ])('%s: the transfer ends', async (_, react) => {
    await expect(transferContext(new Receiver(react), rootWith({ a: '' }), everything)).rejects.toThrow(
      TransferRefusedError,
    );
  });
});
