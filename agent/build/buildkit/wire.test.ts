import fc from 'fast-check';
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { expect, it } from 'vitest';
import { maxVarint, tag, varintLength, writeInt64, writeVarint } from './wire.ts';

function written(write: (buffer: Buffer) => number): Uint8Array {
  const buffer = Buffer.alloc(maxVarint);
  return buffer.subarray(0, write(buffer));
}

it('writes whole numbers as varints', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const bytes = written((buffer) => writeVarint(buffer, 0, value));
      expect(bytes).toHaveLength(varintLength(value));
      expect(Number(new BinaryReader(bytes).uint64())).toBe(value);
    }),
  );
});

it('writes 64-bit integers of either sign as protobuf does', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const theirs = new BinaryWriter().int64(value).finish();
      expect(Buffer.from(written((buffer) => writeInt64(buffer, 0, value)))).toEqual(Buffer.from(theirs));
    }),
  );
});

it('makes tags', () => {
  expect([tag(1, 'varint'), tag(2, 'bytes'), tag(7, 'bytes')]).toEqual([8, 18, 58]);
});
