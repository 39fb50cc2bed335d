/** File modes as Go's io/fs spells them, which is how the context transfer states them. */

const regular = 0o100000;
const typeMask = 0o170000;

/** Go's bit for each file type of the kernel; regular files have none. */
const typeBits: ReadonlyMap<number, number> = new Map([
  [0o040000, 0x80000000],
  [0o120000, 0x08000000],
  [0o010000, 0x02000000],
  [0o060000, 0x04000000],
  [0o020000, 0x04200000],
]);

export type FileType = 'file' | 'directory' | 'symlink' | 'special' | 'socket';

export function fileType(kernelMode: number): FileType {
  switch (kernelMode & typeMask) {
    case regular:
      return 'file';
    case 0o040000:
      return 'directory';
    case 0o120000:
      return 'symlink';
    case 0o140000:
      return 'socket';
    default:
      return 'special';
  }
}

/** The unsigned 32-bit mode: type, set-id and sticky bits are elsewhere than the kernel has them. */
export function goMode(kernelMode: number): number {
  const permissions = kernelMode & 0o777;
  const setUser = kernelMode & 0o4000 ? 0x00800000 : 0;
  const setGroup = kernelMode & 0o2000 ? 0x00400000 : 0;
  const sticky = kernelMode & 0o1000 ? 0x00100000 : 0;
  const type = typeBits.get(kernelMode & typeMask) ?? 0;
  return (permissions | setUser | setGroup | sticky | type) >>> 0;
}
