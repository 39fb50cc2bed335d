import { describe, expect, it } from 'vitest';
import { StalledError, WaitingError } from '../../platform/errors/errors.ts';
import type { Marked, PendingWrite } from '../../prisma/store/outbox.ts';
import { flushLane, type Lane } from './lane.ts';
import { maxAttempts } from './retry.ts';

interface Row extends PendingWrite {
  status: 'pending' | 'sent' | 'failed';
  notBefore: Date;
  error?: string;
}

interface FakeLane extends Lane {
  rows: Row[];
  calls: string[];
  limitedUntil: Date | null;
  /** What the next attempt finds; begun when there is none. */
  begins: ('begun' | 'not_owed' | 'lost')[];
  /** Another process took it while a write was sent. */
  isLost: boolean;
  clock: Date;
}

const start = new Date('2030-01-01T00:00:00Z');

/** A lane in memory: rows are data, named `subject:number`; `answers` says what GitHub does at each call. */
function fakeLane(keys: string[], answers: (number | Error)[]): FakeLane {
  const rows = keys.map((key, index): Row => ({
    id: BigInt(index + 1),
    key,
    subject: key.split(':')[0]!,
    kind: 'createCheckRun',
    coalesceKey: null,
    payload: {},
    attempts: 0,
    notBefore: start,
    status: 'pending',
  }));
  const row = (write: PendingWrite): Row => rows.find(({ id }) => id === write.id)!;
  const change = (write: PendingWrite, to: Partial<Row>): Promise<Marked> => {
    if (lane.isLost) return Promise.resolve('lost');
    Object.assign(row(write), to);
    return Promise.resolve('marked');
  };
  const waits = (write: Row): boolean =>
    rows.some(
      (each) =>
        each.subject === write.subject &&
        each.status === 'pending' &&
        each.id <= write.id &&
        each.notBefore > lane.clock,
    );
  const lane: FakeLane = {
    rows,
    calls: [],
    limitedUntil: null,
    begins: [],
    isLost: false,
    clock: start,
    now: () => lane.clock,
    sendable: () =>
      Promise.resolve(
        rows.filter((each) => each.status === 'pending' && !waits(each)).map((each) => structuredClone(each)),
      ),
    begin: (write) => {
      const begun = lane.begins.shift() ?? 'begun';
      if (begun === 'begun') row(write).attempts++;
      if (begun === 'not_owed') row(write).status = 'failed';
      return Promise.resolve(begun);
    },
    send: (write) => {
      lane.calls.push(write.key);
      const answer = answers.shift() ?? 1;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    markSent: (write) => change(write, { status: 'sent' }),
    markLater: (write, later) => change(write, later),
    limit: (write, { until }) => {
      lane.limitedUntil = until;
      return change(write, { attempts: write.attempts });
    },
    markFailed: (write, error) => change(write, { status: 'failed', error }),
  };
  return lane;
}

const away = (): Error => new Error('socket hang up');

describe('flushLane', () => {
  it('sends everything in order and then is done', async () => {
    const lane = fakeLane(['a:1', 'b:1', 'a:2'], []);
    expect(await flushLane(lane)).toEqual({ kind: 'done' });
    expect(lane.calls).toEqual(['a:1', 'b:1', 'a:2']);
    expect(lane.rows.map(({ status }) => status)).toEqual(['sent', 'sent', 'sent']);
  });

  it('waits as long as GitHub says, sends nothing past the one that was limited, and counts no attempt', async () => {
    const until = new Date(start.getTime() + 60_000);
    const lane = fakeLane(['a:1', 'b:1'], [new WaitingError('rate_limited', 'GitHub asks to wait.', { until })]);
    expect(await flushLane(lane)).toEqual({ kind: 'limited', until });
    expect(lane.calls).toEqual(['a:1']);
    expect(lane.limitedUntil).toEqual(until);
    expect(lane.rows[0]?.attempts).toBe(0);
  });

  it.each(['installation_suspended', 'github_credentials_refused'])('keeps what is owed while %s', async (code) => {
    const lane = fakeLane(['a:1', 'b:1'], [new StalledError(code, 'A person has to change something.')]);
    const until = new Date(start.getTime() + 300_000);
    expect(await flushLane(lane)).toEqual({ kind: 'limited', until });
    expect(lane.calls).toEqual(['a:1']);
    expect(lane.rows.map(({ status }) => status)).toEqual(['pending', 'pending']);
  });

  it('goes on behind a write that GitHub will never take', async () => {
    const lane = fakeLane(['a:1', 'a:2'], [new StalledError('github_rejected', 'GitHub refuses this write.')]);
    expect(await flushLane(lane)).toEqual({ kind: 'done' });
    expect(lane.rows.map(({ status }) => status)).toEqual(['failed', 'sent']);
    expect(lane.rows[0]?.error).toBe('github_rejected: GitHub refuses this write.');
  });

  it('holds back what is about the same subject behind one that has to be tried again, and nothing else', async () => {
    const lane = fakeLane(['a:1', 'a:2', 'b:1'], [away()]);
    expect(await flushLane(lane)).toEqual({ kind: 'done' });
    expect(lane.calls).toEqual(['a:1', 'b:1']);
    lane.clock = new Date(start.getTime() + 1_000);
    await flushLane(lane);
    expect(lane.calls).toEqual(['a:1', 'b:1', 'a:1', 'a:2']);
  });

  it('retries twice as late each time, and gives up in the end', async () => {
    const lane = fakeLane(
      ['a:1'],
      Array.from({ length: maxAttempts }, () => away()),
    );
    const delays: number[] = [];
    for (let count = 0; count < maxAttempts; count++) {
      await flushLane(lane);
      delays.push(lane.rows[0]!.notBefore.getTime() - lane.clock.getTime());
      lane.clock = lane.rows[0]!.notBefore;
    }
    expect(delays.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(Math.max(...delays)).toBe(600_000);
    expect(lane.rows[0]?.status).toBe('failed');
  });

  it('pauses when GitHub is away instead of trying all there is', async () => {
    const lane = fakeLane(
      Array.from({ length: 10 }, (_, index) => `${index}:1`),
      Array.from({ length: 10 }, () => away()),
    );
    expect(await flushLane(lane)).toEqual({ kind: 'paused', until: new Date(start.getTime() + 5_000) });
    expect(lane.calls).toHaveLength(3);
  });

  it('P39: gives other lanes their turn when much is owed', async () => {
    const lane = fakeLane(
      Array.from({ length: 100 }, (_, index) => `${index}:1`),
      [],
    );
    expect(await flushLane(lane)).toEqual({ kind: 'paused', until: start });
    expect(lane.calls).toHaveLength(30);
  });

  it('does not send what a newer write has taken the place of', async () => {
    const lane = fakeLane(['a:1', 'a:2'], []);
    lane.begins = ['not_owed'];
    await flushLane(lane);
    expect(lane.calls).toEqual(['a:2']);
  });

  it('sends nothing more when another process has taken the lane', async () => {
    const lane = fakeLane(['a:1', 'a:2'], []);
    lane.begins = ['begun', 'lost'];
    expect(await flushLane(lane)).toEqual({ kind: 'lost' });
    expect(lane.calls).toEqual(['a:1']);
  });

  it.each([
    ['was sent', 1],
    ['has to be tried again', away()],
    ['was refused', new StalledError('github_rejected', 'No.')],
    ['was limited', new WaitingError('github_rate_limited', 'Slowly.', { until: start })],
  ])('ends when another process took the lane while a write %s', async (_what, answer) => {
    const lane = fakeLane(['a:1', 'b:1'], [answer]);
    lane.isLost = true;
    expect(await flushLane(lane)).toEqual({ kind: 'lost' });
    expect(lane.calls).toEqual(['a:1']);
  });
});
