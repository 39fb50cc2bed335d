import { describe, expect, it } from 'vitest';
import type { LogLine, LogsAnswer, LogsRequest } from '../../core/contract/logs.ts';
import { apiErrors } from '../../platform/errors/api-codes.ts';
import { ControlRefused, ControlUnreachable } from '../control/errors.ts';
import { manualClock, settle } from '../testing/manual-clock.ts';
import { logShipper } from './shipper.ts';

const line = (text: string): LogLine => ({ at: '2030-01-01T00:00:00.000Z', text, error: false });

/** A control plane that keeps lines by their offsets. */
function setUp() {
  const clock = manualClock();
  const kept = new Map<string, string[]>();
  const world = {
    requests: [] as LogsRequest[],
    before: [] as (() => Promise<void>)[],
    after: [] as (() => Promise<void>)[],
    refuse: new Set<string>(),
    lines: [] as string[],
  };
  const take = ({ batches }: LogsRequest): LogsAnswer => ({
    accepted: batches.map(({ id, offset, lines }) => {
      if (world.refuse.has(id)) return { ok: false, code: 'log_full' };
      const have = kept.get(id) ?? [];
      have.push(...lines.slice(have.length - offset).map(({ text }) => text));
      kept.set(id, have);
      return { ok: true, nextOffset: have.length };
    }),
  });
  const shipper = logShipper({
    send: async (request) => {
      world.requests.push(structuredClone(request));
      await world.before.shift()?.();
      const answer = take(request);
      await world.after.shift()?.();
      return answer;
    },
    clock,
    random: () => 1,
    log: (text) => world.lines.push(text),
  });
  const open = (id: string) => shipper.open({ kind: 'build', id, attempt: 1, startOffset: 0 });
  return { clock, kept, world, shipper, open };
}

const fails = () => Promise.reject(new ControlUnreachable('https://x', new Error('reset')));

describe('logs', () => {
  it('travel together: lines that come close, and streams that are open', async () => {
    const { clock, kept, open, world } = setUp();
    const [one, two] = [open('one'), open('two')];
    one.push([line('a')]);
    two.push([line('x')]);
    one.push([line('b')]);
    await clock.advance(50);
    expect(world.requests).toHaveLength(1);
    expect([kept.get('one'), kept.get('two')]).toEqual([['a', 'b'], ['x']]);
  });

  it('end when the control plane has everything', async () => {
    const { clock, kept, open, world } = setUp();
    const log = open('one');
    let ended = false;
    log.push(Array.from({ length: 1_200 }, (_, index) => line(String(index))));
    void log.end().then(() => (ended = true));
    for (let turn = 0; turn < 5; turn += 1) await clock.advance(50);
    expect([kept.get('one')?.length, ended]).toEqual([1_200, true]);
    expect(world.requests.at(-1)?.batches[0]?.end).toBe(true);
    expect(clock.armed()).toEqual([]);
  });

  it('are whole, and nothing is twice, when a request or an answer is lost', async () => {
    const { clock, kept, open, world } = setUp();
    world.before.push(fails);
    world.after.push(fails);
    const log = open('one');
    log.push([line('a'), line('b')]);
    void log.end();
    for (let turn = 0; turn < 5; turn += 1) await clock.advance(1_000);
    expect(kept.get('one')).toEqual(['a', 'b']);
    expect(world.lines).toHaveLength(1);
  });

  it('stop where the control plane takes no more, and the others go on', async () => {
    const { clock, kept, open, world } = setUp();
    world.refuse.add('full');
    const full = open('full');
    const fine = open('fine');
    full.push([line('a')]);
    fine.push([line('b')]);
    let ended = false;
    void full.end().then(() => (ended = true));
    await clock.advance(50);
    expect([ended, kept.get('fine')]).toEqual([true, ['b']]);
  });

  it('do not repeat a request that is refused as a whole', async () => {
    const { clock, open, world } = setUp();
    world.before.push(() => Promise.reject(new ControlRefused(403, 'node_removed', apiErrors.node_removed.message)));
    const log = open('one');
    log.push([line('a')]);
    await clock.advance(60_000);
    expect(world.requests).toHaveLength(1);
  });

  it('leave nothing behind when they stop', async () => {
    const { clock, open, shipper } = setUp();
    const log = open('one');
    log.push([line('a')]);
    const ended = log.end();
    shipper.stop();
    await ended;
    await settle();
    expect(clock.armed()).toEqual([]);
  });
});
