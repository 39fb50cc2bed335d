import { describe, expect, it } from 'vitest';
import { StalledError, WaitingError } from '../../platform/errors/errors.ts';
import type { PendingWrite } from '../../prisma/store/outbox.ts';
import { flushLane, type Lane } from './lane.ts';

interface Row extends PendingWrite {
  status: 'pending' | 'sent' | 'failed';
  error?: string;
}

const start = new Date('2030-01-01T00:00:00Z');

/** A lane in memory: rows are data, `answers` says what GitHub does at each call. */
function fakeLane(keys: string[], answers: (number | Error)[]): Lane & { rows: Row[]; calls: string[] } {
  const rows = keys.map((key, index): Row => ({
    id: BigInt(index + 1),
    key,
    subject: 'intent:1',
    kind: 'createCheckRun',
    coalesceKey: null,
    payload: {},
    attempts: 0,
    notBefore: start,
    status: 'pending',
  }));
  const row = (write: PendingWrite): Row => rows.find(({ id }) => id === write.id)!;
  const change = (write: PendingWrite, to: Partial<Row>): Promise<void> => {
    Object.assign(row(write), to);
    return Promise.resolve();
  };
  const calls: string[] = [];
  return {
    rows,
    calls,
    now: () => start,
    pending: () => Promise.resolve(rows.filter(({ status }) => status === 'pending').map((each) => ({ ...each }))),
    beginAttempt: (write) => {
      row(write).attempts++;
      return Promise.resolve();
    },
    send: (write) => {
      calls.push(write.key);
      const answer = answers.shift() ?? 1;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    markSent: (write) => change(write, { status: 'sent' }),
    markLater: (write, later) => change(write, later),
    markFailed: (write, error) => change(write, { status: 'failed', error }),
  };
}

describe('flushLane', () => {
  it('sends everything in order and then is empty', async () => {
    const lane = fakeLane(['a', 'b', 'c'], []);
    expect(await flushLane(lane)).toBeNull();
    expect(lane.calls).toEqual(['a', 'b', 'c']);
    expect(lane.rows.map(({ status }) => status)).toEqual(['sent', 'sent', 'sent']);
  });

  it('waits as long as GitHub says, and sends nothing past the one that waits', async () => {
    const until = new Date(start.getTime() + 60_000);
    const lane = fakeLane(['a', 'b'], [new WaitingError('rate_limited', 'GitHub asks to wait.', { until })]);
    expect(await flushLane(lane)).toEqual(until);
    expect(lane.calls).toEqual(['a']);
    expect(lane.rows[0]?.notBefore).toEqual(until);
  });

  it('goes on behind a write that GitHub will never take', async () => {
    const lane = fakeLane(['a', 'b'], [new StalledError('github_invalid', 'GitHub refuses this write.')]);
    expect(await flushLane(lane)).toBeNull();
    expect(lane.rows.map(({ status }) => status)).toEqual(['failed', 'sent']);
    expect(lane.rows[0]?.error).toBe('github_invalid: GitHub refuses this write.');
  });

  it('retries a broken connection later, twice as late each time, and gives up in the end', async () => {
    const lane = fakeLane(
      ['a'],
      Array.from({ length: 20 }, () => new Error('socket hang up')),
    );
    const delays: number[] = [];
    for (let at = await flushLane(lane); at !== null; at = await flushLane(lane)) {
      delays.push(at.getTime() - start.getTime());
      lane.rows[0]!.notBefore = start;
    }
    expect(delays.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(Math.max(...delays)).toBe(600_000);
    expect(lane.rows[0]?.status).toBe('failed');
  });
});
