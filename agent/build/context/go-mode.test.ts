import { describe, expect, it } from 'vitest';
import { fileType, goMode } from './go-mode.ts';

describe('a mode in Go', () => {
  it.each([
    ['a file', 0o100644, 0o644],
    ['a directory', 0o040755, 0x80000000 + 0o755],
    ['a symlink', 0o120777, 0x08000000 + 0o777],
    ['a pipe', 0o010600, 0x02000000 + 0o600],
    ['a block device', 0o060660, 0x04000000 + 0o660],
    ['a character device', 0o020660, 0x04200000 + 0o660],
    ['a set-user-id file', 0o104755, 0x00800000 + 0o755],
    ['a set-group-id directory', 0o042755, 0x80400000 + 0o755],
    ['a sticky directory', 0o041777, 0x80100000 + 0o777],
    ['a file nobody may read', 0o100000, 0],
  ])('of %s', (_, kernel, go) => {
    expect(goMode(kernel)).toBe(go);
  });

  it('tells types apart', () => {
    expect([0o100644, 0o040755, 0o120777, 0o140755, 0o010600, 0o020600].map(fileType)).toEqual([
      'file',
      'directory',
      'symlink',
      'socket',
      'special',
      'special',
    ]);
  });
});
