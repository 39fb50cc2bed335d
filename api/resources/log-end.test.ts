import { expect, it } from 'vitest';
import { isLogOver, lastLinesMs } from './log-end.ts';

const finishedAt = '2030-01-01T00:00:10.000Z';
const build = { attempt: 2, startedAt: '2030-01-01T00:00:00.000Z', finishedAt };
const after = (ms: number) => new Date(Date.parse(finishedAt) + ms);

it.each([
  ['goes on while the build does', { finishedAt: null }, { endedAttempt: 2 }, 60_000, false],
  ['goes on while lines follow', {}, { isLast: false, endedAttempt: 2 }, 60_000, false],
  ['is over when its node says so', {}, { endedAttempt: 2 }, 0, true],
  ['waits for the last lines of the last attempt', {}, { endedAttempt: 1 }, 0, false],
  ['waits for what its node has not sent yet', {}, {}, lastLinesMs - 1, false],
  ['waits for a lost node no longer than that', {}, {}, lastLinesMs, true],
  ['is over at once when the build never began', { startedAt: null }, {}, 0, true],
] as const)('%s', (_title, ofBuild, ofRead, ms, over) => {
  const read = { isLast: true, endedAttempt: null, ...ofRead };
  expect(isLogOver({ ...build, ...ofBuild }, read, after(ms))).toBe(over);
});
