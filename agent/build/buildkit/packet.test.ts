import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromText } from '../context/byte-path.ts';
import { PacketSchema, StatSchema } from './gen/filesync_pb.ts';
import { frame, frameReader } from './grpc-frame.ts';
import {
  dataHeaderRoom,
  endOfStats,
  errorFrame,
  finishedFrame,
  packetType,
  statFrameBound,
  writeDataHeader,
  writeStatFrame,
} from './packet.ts';

const entries = fc.record({
  path: fc.string({ minLength: 1, maxLength: 300, unit: 'binary' }).map(fromText),
  mode: fc.nat({ max: 0xffffffff }),
  size: fc.maxSafeNat(),
  modTime: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  linkname: fc.string({ maxLength: 300, unit: 'binary' }).map(fromText),
  devMajor: fc.nat({ max: 4095 }),
  devMinor: fc.nat({ max: 0xfffff }),
  hasContent: fc.boolean(),
});

function text(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

describe('a packet', () => {
  it('of an entry is what the generated encoder makes of it', () => {
    fc.assert(
      fc.property(entries, fc.nat({ max: 50 }), (entry, at) => {
        const buffer = Buffer.alloc(at + statFrameBound(entry));
        const end = writeStatFrame(buffer, at, entry);
        const stat = create(StatSchema, {
          path: text(entry.path),
          mode: entry.mode,
          size: BigInt(entry.size),
          modTime: entry.modTime,
          linkname: text(entry.linkname),
          devmajor: BigInt(entry.devMajor),
          devminor: BigInt(entry.devMinor),
        });
        const packet = create(PacketSchema, { type: packetType.stat, stat });
        expect(buffer.subarray(at, end).equals(frame(toBinary(PacketSchema, packet)))).toBe(true);
      }),
    );
  });

  it('of data is what the generated encoder makes of it', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0xffffffff }), fc.uint8Array({ maxLength: 300 }), (id, data) => {
        const buffer = Buffer.concat([Buffer.alloc(dataHeaderRoom), data]);
        const start = writeDataHeader(buffer, dataHeaderRoom, id, data.length);
        const packet = create(PacketSchema, { type: packetType.data, id, data });
        expect(buffer.subarray(start).equals(frame(toBinary(PacketSchema, packet)))).toBe(true);
      }),
    );
  });

  it('without content ends the entries, finishes, or tells what is wrong', () => {
    const [end, finished, error] = [endOfStats(), finishedFrame(), errorFrame('zerbrochen: é')].map((bytes) => {
      const [message] = frameReader().push(bytes);
      return fromBinary(PacketSchema, message ?? Buffer.alloc(0));
    });
    expect(end?.type).toBe(packetType.stat);
    expect(end?.stat).toBeUndefined();
    expect(finished?.type).toBe(packetType.finished);
    expect(error?.type).toBe(packetType.error);
    expect(Buffer.from(error?.data ?? []).toString('utf8')).toBe('zerbrochen: é');
  });
});
