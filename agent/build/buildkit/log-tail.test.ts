import { expect, it } from 'vitest';
import { buildRecord } from './log-tail.ts';

function log(data: string | Uint8Array, vertex = 'v') {
  return { kind: 'log', vertex, stream: 'stdout', data: Buffer.from(data), at: new Date(0) } as const;
}

it('keeps the last 50 lines of each step, however they arrive', () => {
  const record = buildRecord();
  for (let index = 0; index < 60; index++) {
    record.note(log(`line ${index} be`));
    record.note(log('gun\r\n'));
  }
  record.note(log('other', 'w'));
  expect(record.logTail('v')).toHaveLength(50);
  expect(record.logTail('v').at(0)).toBe('line 10 begun');
  expect(record.logTail('v').at(-1)).toBe('line 59 begun');
  expect(record.logTail('w')).toEqual(['other']);
  expect(record.logTail('none')).toEqual([]);
});

it('keeps a letter whole that is cut in two, and a line short that never ends', () => {
  const record = buildRecord();
  const letter = Buffer.from('é');
  record.note(log(letter.subarray(0, 1)));
  record.note(log(letter.subarray(1)));
  expect(record.logTail('v')).toEqual(['é']);
  for (let index = 0; index < 10; index++) record.note(log('x'.repeat(1000)));
  expect(record.logTail('v').join('').length).toBeLessThanOrEqual(2000);
});

it('remembers which steps failed', () => {
  const record = buildRecord();
  record.note({ kind: 'vertex-failed', vertex: 'v', name: '[1/1] RUN x', error: 'no', at: new Date(0) });
  expect(record.failedSteps).toEqual([{ vertex: 'v', name: '[1/1] RUN x' }]);
});
