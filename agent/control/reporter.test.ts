import { describe, expect, it } from 'vitest';
import type { StatusAnswer, StatusReport } from '../../core/contract/status.ts';
import { apiErrors } from '../../platform/errors/api-codes.ts';
import { manualClock, settle } from '../testing/manual-clock.ts';
import { ControlRefused, ControlUnreachable } from './errors.ts';
import { reporter, type ReportBody } from './reporter.ts';

const answer: StatusAnswer = { sequence: 1, generation: 1, work: [], refused: [] };
const body = (generation: number): ReportBody => ({
  ...({
    phase: 'idle',
    generation,
    converged: true,
    containers: [],
    actions: [],
    publicAddress: null,
    capabilities: [],
    buildSlots: 0,
  } as const),
  digests: { dns: null, routes: null, peers: null },
  resources: {
    ...{ cpuMillis: 1, memoryBytes: 1, memoryFreeBytes: 1, diskBytes: 1, diskFreeBytes: 1, load1: 0 },
    ...{ architecture: 'x64', kernel: '6', engineVersion: null },
  },
});

function setUp() {
  const clock = manualClock();
  const sent: StatusReport[] = [];
  const world = { next: [] as (() => Promise<StatusAnswer>)[], taken: [] as number[], lines: [] as string[] };
  const reports = reporter({
    epoch: 'e1',
    agentVersion: '1',
    send: (report) => {
      sent.push(report);
      return world.next.shift()?.() ?? Promise.resolve(answer);
    },
    clock,
    random: () => 1,
    onAnswer: (report) => world.taken.push(report.generation),
    log: (line) => world.lines.push(line),
  });
  return { clock, sent, world, reports };
}

const away = () => Promise.reject(new ControlUnreachable('https://x', new Error('refused')));

describe('reports', () => {
  it('count up within an epoch', async () => {
    const { reports, sent } = setUp();
    reports.submit(() => Promise.resolve(body(1)));
    await settle();
    reports.submit(() => Promise.resolve(body(2)));
    await settle();
    expect(sent.map(({ epoch, sequence }) => [epoch, sequence])).toEqual([
      ['e1', 1],
      ['e1', 2],
    ]);
  });

  it('go one at a time, and the newest only', async () => {
    const { reports, sent, world } = setUp();
    let finish = (): void => undefined;
    world.next.push(() => new Promise((resolve) => (finish = () => resolve(answer))));
    for (const generation of [1, 2, 3]) {
      reports.submit(() => Promise.resolve(body(generation)));
      await settle();
    }
    expect(sent.map(({ generation }) => generation)).toEqual([1]);
    finish();
    await settle();
    expect(sent.map(({ generation }) => generation)).toEqual([1, 3]);
  });

  it('are sent again, under a new number, when nobody answered', async () => {
    const { clock, reports, sent, world } = setUp();
    world.next.push(away);
    reports.submit(() => Promise.resolve(body(1)));
    await clock.advance(249);
    expect(world.taken).toEqual([]);
    await clock.advance(1);
    expect(sent.map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(world.taken).toEqual([1]);
    expect(world.lines).toHaveLength(1);
  });

  it('do not wait for a retry when there is something new to tell', async () => {
    const { clock, reports, sent, world } = setUp();
    world.next.push(away);
    reports.submit(() => Promise.resolve(body(1)));
    await settle();
    reports.submit(() => Promise.resolve(body(2)));
    await settle();
    expect(sent.map(({ generation }) => generation)).toEqual([1, 2]);
    expect(clock.armed()).toEqual([]);
  });

  it('are not repeated when they are refused', async () => {
    const { clock, reports, sent, world } = setUp();
    world.next.push(() => Promise.reject(new ControlRefused(409, 'sequence_stale', apiErrors.sequence_stale.message)));
    reports.submit(() => Promise.resolve(body(1)));
    await clock.advance(60_000);
    expect(sent).toHaveLength(1);
    expect(world.lines[0]).toContain(apiErrors.sequence_stale.message);
  });
});
