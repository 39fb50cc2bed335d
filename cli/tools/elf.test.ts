import { expect, it } from 'vitest';
import { isStaticElf } from './elf.ts';

/** A 64-bit little-endian ELF head with one program header for each segment type. */
function elf(segments: readonly number[]): Buffer {
  const head = Buffer.alloc(64 + segments.length * 56);
  head.write('\x7fELF', 0, 'latin1');
  head[4] = 2;
  head[5] = 1;
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(segments.length, 56);
  segments.forEach((type, index) => head.writeUInt32LE(type, 64 + index * 56));
  return head;
}

it('sees that a program without an interpreter is static', () => {
  expect(isStaticElf(elf([1, 1, 4]))).toBe(true);
});

it('sees the interpreter of a program that needs a C library', () => {
  expect(isStaticElf(elf([6, 3, 1]))).toBe(false);
});

it('takes nothing else for a static program: scripts, short files, headers cut off', () => {
  expect(isStaticElf(Buffer.from('#!/bin/sh\necho hello\n'.padEnd(100)))).toBe(false);
  expect(isStaticElf(Buffer.alloc(0))).toBe(false);
  expect(isStaticElf(elf([1, 1, 1]).subarray(0, 100))).toBe(false);
});
