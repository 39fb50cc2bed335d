import { expect, it } from 'vitest';
import { terminalLines } from './log-lines.ts';

const line = (offset: number, source: string | null = null) => ({
  ...{ offset, source, error: false },
  ...{ at: '2030-01-01T00:00:00.000Z', text: `line ${offset}` },
});

it('says of each source how many lines are missing, also between pages, and of none before the first', () => {
  const expected = new Map<string | null, number>();
  expect(terminalLines([line(40, 'a'), line(7, 'b'), line(41, 'a')], expected)).toEqual([
    '2030-01-01T00:00:00.000Z [a] line 40',
    '2030-01-01T00:00:00.000Z [b] line 7',
    '2030-01-01T00:00:00.000Z [a] line 41',
  ]);
  expect(terminalLines([line(45, 'a'), line(8, 'b')], expected)).toEqual([
    '[a] … 3 lines are left out here …',
    '2030-01-01T00:00:00.000Z [a] line 45',
    '2030-01-01T00:00:00.000Z [b] line 8',
  ]);
  expect(terminalLines([line(0), line(2)], new Map())[1]).toBe('… 1 line is left out here …');
});
