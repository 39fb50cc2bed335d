import { describe, expect, it } from 'vitest';
import { age, renderTable } from './table.ts';

describe('renderTable', () => {
  it('aligns columns and leaves no trailing space', () => {
    expect(
      renderTable(
        ['name', 'kind'],
        [
          ['a', 'worker'],
          ['longer', ''],
        ],
      ),
    ).toBe('NAME    KIND\na       worker\nlonger');
  });
});

describe('age', () => {
  it.each([
    [0, '0s'],
    [89_000, '89s'],
    [120_000, '2m'],
    [7_200_000, '2h'],
    [4 * 86_400_000, '4d'],
    [-5_000, '0s'],
  ])('%i ms ago is %s', (ms, text) => {
    expect(age(new Date(1e12 - ms), new Date(1e12))).toBe(text);
  });
});
