/** Varints and tags of protobuf's wire format, for the messages that are too many to go through reflection. */

/** Most bytes a varint of 64 bits takes. */
export const maxVarint = 10;

export function tag(field: number, kind: 'varint' | 'bytes'): number {
  return (field << 3) | (kind === 'varint' ? 0 : 2);
}

/** Writes a number below 2^53; returns the position after it. */
export function writeVarint(buffer: Buffer, at: number, value: number): number {
  let rest = value;
  let position = at;
  while (rest > 0x7f) {
    buffer[position++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  buffer[position++] = rest;
  return position;
}

/** Writes a signed 64-bit integer as protobuf's int64 does: a negative one takes ten bytes. */
export function writeInt64(buffer: Buffer, at: number, value: bigint): number {
  const unsigned = BigInt.asUintN(64, value);
  let low = Number(unsigned & 0xffffffffn);
  let high = Number(unsigned >> 32n);
  let position = at;
  while (high > 0 || low > 0x7f) {
    buffer[position++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  buffer[position++] = low;
  return position;
}

export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) length++;
  return length;
}
