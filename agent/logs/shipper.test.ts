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
    /** Of the body, as the other side, or a proxy before it, takes it. */
    bodyLimit: Infinity,
    /** A text that the other side finds malformed. */
    malformed: null as string | null,
    lines: [] as string[],
  };
  const refuseWhole = ({ batches }: LogsRequest): ControlRefused | null => {
    if (Buffer.byteLength(JSON.stringify({ batches })) > world.bodyLimit)
      return new ControlRefused(413, null, 'The control plane answered 413.');
    const isMalformed = batches.some(({ lines }) => lines.some(({ text }) => text === world.malformed));
    return isMalformed ? new ControlRefused(400, 'invalid_request', apiErrors.invalid_request.message) : null;
  };
  const take = ({ batches }: LogsRequest): LogsAnswer => ({
    accepted: batches.map(({ id, offset, lines }) => {
      if (world.refuse.has(id)) return { ok: false, code: 'attempt_stale' };
      const have = kept.get(id) ?? [];
      for (const [index, { text }] of lines.entries()) have[offset + index] ??= text;
      kept.set(id, have);
      return { ok: true, nextOffset: have.length };
    }),
  });
  const shipper = logShipper({
    send: async (request) => {
      world.requests.push(structuredClone(request));
      await world.before.shift()?.();
      const refused = refuseWhole(request);
      if (refused !== null) throw refused;
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
    expect([full.isClosed(), fine.isClosed()]).toEqual([true, false]);
  });

  it('travel in requests of bounded size, and every stream has its turn', async () => {
    const { clock, kept, open, world } = setUp();
    const wide = line('é'.repeat(16_384));
    const [one, two] = [open('one'), open('two')];
    one.push(Array.from({ length: 200 }, () => wide));
    two.push(Array.from({ length: 200 }, () => wide));
    await clock.advance(50);
    await clock.advance(50);
    expect([kept.has('one'), kept.has('two')]).toEqual([true, true]);
    for (let turn = 0; turn < 60; turn += 1) await clock.advance(50);
    expect([kept.get('one')?.length, kept.get('two')?.length]).toEqual([200, 200]);
    const sizes = world.requests.map((request) => Buffer.byteLength(JSON.stringify(request)));
    expect(Math.max(...sizes)).toBeLessThan(1024 ** 2);
    expect(world.lines).toEqual([]);
  });

  it('are split when a request is too large for what stands between, and only a line that is too large alone is left out', async () => {
    const { clock, kept, open, world } = setUp();
    world.bodyLimit = 5_000;
    const [one, two] = [open('one'), open('two')];
    one.push([
      ...Array.from({ length: 100 }, (_, index) => line(`line ${index}`)),
      line('x'.repeat(9_000)),
      line('after'),
    ]);
    two.push(Array.from({ length: 100 }, (_, index) => line(`line ${index}`)));
    let ended = 0;
    for (const log of [one, two]) void log.end().then(() => (ended += 1));
    for (let turn = 0; turn < 200; turn += 1) await clock.advance(50);
    expect(kept.get('two')).toHaveLength(100);
    const first = kept.get('one')!;
    // The number of the line that was left out is left out.
    expect([first.length, first[99], first[100], first[101], ended]).toEqual([102, 'line 99', undefined, 'after', 2]);
    expect(world.lines).toEqual([
      'Of the log of build one, line 100 to before line 101 is left out: The control plane answered 413.',
    ]);
  });

  it('lose only the lines that the control plane finds malformed: other streams, and what follows, go on', async () => {
    const { clock, kept, open, world } = setUp();
    world.malformed = 'bad';
    const logs = ['one', 'two', 'three'].map(open);
    for (const log of logs) log.push([line('a')]);
    logs[1]?.push([line('bad')]);
    for (let turn = 0; turn < 10; turn += 1) await clock.advance(50);
    for (const log of logs) log.push([line('b')]);
    await clock.advance(50);
    expect([kept.get('one'), kept.get('three')]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect(kept.get('two')?.at(-1)).toBe('b');
    expect([logs.map((log) => log.isClosed()), world.lines.length]).toEqual([[false, false, false], 1]);
  });

  it('wait, rarely asking, while the node itself is refused, and go on when it is not any more', async () => {
    const { clock, kept, open, world } = setUp();
    const refused = () => Promise.reject(new ControlRefused(401, 'signature_stale', apiErrors.signature_stale.message));
    for (let count = 0; count < 10; count += 1) world.before.push(refused);
    const log = open('one');
    log.push([line('a')]);
    await clock.advance(120_000);
    expect(world.requests.length).toBeLessThan(10);
    expect([log.isClosed(), world.lines.length]).toEqual([false, 1]);
    world.before.length = 0;
    await clock.advance(60_000);
    expect(kept.get('one')).toEqual(['a']);
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
