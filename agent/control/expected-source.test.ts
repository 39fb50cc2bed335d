import { describe, expect, it } from 'vitest';
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import { expecting } from '../../test/core/facts.ts';
import { manualClock, settle } from '../testing/manual-clock.ts';
import type { ExpectedAnswer } from './control.ts';
import { ControlUnreachable } from './errors.ts';
import { expectedSource } from './expected-source.ts';

const at = (generation: number): ExpectedState => ({ ...expecting(), generation });

async function setUp(cached: ExpectedState | null = null) {
  const clock = manualClock();
  const asked: (string | null)[] = [];
  const world = {
    answers: [] as (() => Promise<ExpectedAnswer>)[],
    heard: [] as number[],
    written: [] as number[],
    lines: [] as string[],
    diskFull: false,
  };
  const source = await expectedSource({
    control: {
      expectedState: ({ etag }) => {
        asked.push(etag);
        return world.answers.shift()?.() ?? new Promise(() => undefined);
      },
    },
    cache: {
      read: () => Promise.resolve(cached),
      write: (state) =>
        world.diskFull
          ? Promise.reject(new Error('no space'))
          : Promise.resolve(void world.written.push(state.generation)),
    },
    clock,
    random: () => 1,
    waitMs: 10_000,
    onAnswer: (state) => world.heard.push(state.generation),
    log: (line) => world.lines.push(line),
  });
  return { clock, asked, world, source };
}

const answer = (state: ExpectedState, etag: string) => () => Promise.resolve({ changed: true as const, state, etag });
const away = () => Promise.reject(new ControlUnreachable('https://x', new Error('refused')));

describe('expected state', () => {
  it('is that of the disk until the control plane answers', async () => {
    const { source, world } = await setUp(at(4));
    expect(source.current()?.generation).toBe(4);
    world.answers.push(answer(at(5), '"5"'));
    source.poll();
    await settle();
    expect([source.current()?.generation, world.written, world.heard]).toEqual([5, [5], [5]]);
  });

  it('is followed though the disk is full, and that is said', async () => {
    const { source, world } = await setUp(at(1));
    world.diskFull = true;
    world.answers.push(answer(at(2), '"2"'));
    source.poll();
    await settle();
    expect([source.current()?.generation, world.heard]).toEqual([2, [2]]);
    expect(world.lines).toEqual(['Expected state could not be kept on the disk: no space']);
  });

  it('P04: tells in the log of the agent what it leaves out, once', async () => {
    const { source, world } = await setUp(at(1));
    const problems = [
      { serviceId: 's', message: 'web: its secrets are missing: TOKEN.' },
      { serviceId: 's', message: 'web: its secrets are missing: TOKEN.' },
    ];
    world.answers.push(answer({ ...at(2), problems }, '"2"'), answer({ ...at(3), problems }, '"3"'));
    source.poll();
    await settle();
    source.poll();
    await settle();
    expect(source.current()?.generation).toBe(3);
    expect(world.lines).toEqual(['Left out by the control plane: web: its secrets are missing: TOKEN.']);
  });

  it('is asked for once at a time, and with the last ETag', async () => {
    const { asked, source, world } = await setUp();
    world.answers.push(answer(at(1), '"1"'), () => Promise.resolve({ changed: false }));
    source.poll();
    source.poll();
    await settle();
    source.poll();
    await settle();
    expect(asked).toEqual([null, '"1"']);
    expect(world.heard).toEqual([1, 1]);
  });

  it('P21: of an older generation is refused, and what was known stays', async () => {
    const { source, world } = await setUp(at(7));
    world.answers.push(answer(at(6), '"6"'));
    source.poll();
    await settle();
    expect([source.current()?.generation, world.written, world.heard]).toEqual([7, [], []]);
    expect(world.lines).toHaveLength(1);
  });

  it('is asked for again with longer and longer waits while nobody answers, and says so once', async () => {
    const { asked, clock, source, world } = await setUp(at(1));
    world.answers.push(away, away, away, () => Promise.resolve({ changed: false }));
    source.poll();
    const waits: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      await settle();
      waits.push(clock.armed()[0] ?? 0);
      await clock.advance(clock.armed()[0] ?? 0);
    }
    expect(waits).toEqual([500, 1_000, 2_000]);
    expect(asked).toHaveLength(4);
    expect(world.lines).toEqual([
      'The control plane at https://x cannot be reached: refused. The node goes on from what it knows.',
      'The control plane answers again.',
    ]);
  });
});
