/** Reads just enough of an ELF file to tell whether it needs a dynamic loader, and so a C library, to run. */

const magic = 0x7f454c46; // "\x7fELF"
const interpreterSegment = 3; // PT_INTERP

/**
 * @param head The file's first bytes; the program headers follow the 64-byte file header in every linker's output.
 * @returns False for what is not a 64-bit little-endian ELF file.
 */
export function isStaticElf(head: Buffer): boolean {
  if (head.length < 64 || head.readUInt32BE(0) !== magic || head[4] !== 2 || head[5] !== 1) return false;
  const offset = Number(head.readBigUInt64LE(32));
  const size = head.readUInt16LE(54);
  const count = head.readUInt16LE(56);
  for (let index = 0; index < count; index += 1) {
    const at = offset + index * size;
    if (at + 4 > head.length) return false;
    if (head.readUInt32LE(at) === interpreterSegment) return false;
  }
  return true;
}
