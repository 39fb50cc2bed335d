import { describe, expect, it } from 'vitest';
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import { expectedContainer } from '../testing/control-plane.ts';
import { expecting } from '../../test/core/facts.ts';
import { exited, fakeNode, running } from '../testing/fake-node.ts';
import { manualClock, settle } from '../testing/manual-clock.ts';
import { alarm } from './alarm.ts';
import { runLoop, targetsOf, type LoopPorts, type Report } from './loop.ts';
import { emptyMemory } from './memory.ts';

const web = expectedContainer({ image: 'r/web@sha256:1', ip: '10.200.1.2', allocationId: 'a1' });

function setUp(change: Partial<LoopPorts> = {}) {
  const clock = manualClock();
  const bell = alarm(clock);
  const node = fakeNode(clock);
  const world = { expected: null as ExpectedState | null, polls: 0, reports: [] as Report[], lines: [] as string[] };
  const ports: LoopPorts = {
    clock,
    alarm: bell,
    limits: { passMs: 300_000, actionMs: 240_000 },
    signal: new AbortController().signal,
    observe: node.observe,
    execute: node.execute,
    parts: node.parts,
    logTail: () => Promise.resolve([]),
    log: (line) => world.lines.push(line),
    health: { sync: () => undefined, healthOf: () => null, stop: () => undefined },
    expected: () => world.expected,
    current: () => world.expected,
    poll: () => void (world.polls += 1),
    report: (report) => world.reports.push(report),
    lookEveryMs: 10_000,
    ...change,
  };
  const ended = runLoop(emptyMemory(), ports);
  const stop = async (): Promise<void> => {
    bell.ring('stop');
    await ended;
  };
  return { clock, bell, node, world, stop };
}

describe('the loop', () => {
  it('looks and reports before it knows what is expected, and touches nothing', async () => {
    const { node, world, stop } = setUp();
    await settle();
    expect(world.reports.at(-1)).toMatchObject({ phase: 'idle', converged: false, expected: null });
    expect(node.done).toEqual([]);
    expect(world.polls).toBe(1);
    await stop();
  });

  it('converges when expected state arrives, and reports before it is idle again', async () => {
    const { bell, node, world, stop } = setUp();
    await settle();
    world.expected = expecting(web);
    bell.ring('expected_state');
    await settle();
    expect(node.done).toEqual(['deploy_missing']);
    expect(world.reports.map(({ phase }) => phase)).toContain('processing');
    expect(world.reports.at(-1)).toMatchObject({ phase: 'idle', converged: true });
    expect(world.polls).toBe(2);
    await stop();
  });

  it('starts a crashed container when the engine tells of it, without waiting for the next poll', async () => {
    const { bell, node, world, stop } = setUp();
    world.expected = expecting(web);
    bell.ring('expected_state');
    await settle();
    node.containers = node.containers.map((one) => exited(one, 137));
    bell.ring('engine_event');
    await settle();
    expect(node.done.at(-1)).toBe('start');
    await stop();
  });

  it('looks again by itself after ten seconds', async () => {
    const { bell, clock, node, world, stop } = setUp();
    world.expected = expecting(web);
    bell.ring('expected_state');
    await settle();
    expect(node.containers).toHaveLength(1);
    node.containers = [];
    await clock.advance(9_999);
    expect(node.containers).toEqual([]);
    await clock.advance(1);
    expect(node.containers).toHaveLength(1);
    await stop();
  });

  it('looks again when a backoff has passed', async () => {
    const { bell, clock, node, world, stop } = setUp();
    node.failing.set('a1', () => Promise.reject(new Error('not now')));
    world.expected = expecting(web);
    bell.ring('expected_state');
    await settle();
    node.failing.clear();
    expect(clock.armed()[0]).toBeLessThan(10_000);
    await clock.advance(clock.armed()[0] ?? 0);
    expect(node.containers).toHaveLength(1);
    await stop();
  });

  it('P09: a wake-up during a pass is not lost', async () => {
    const { bell, node, world, stop } = setUp();
    await settle();
    node.failing.set('a1', async () => {
      // While the first state is worked on, a second one arrives.
      world.expected = expecting();
      bell.ring('expected_state');
      node.failing.clear();
      await Promise.resolve();
      throw new Error('this once');
    });
    world.expected = expecting(web);
    bell.ring('expected_state');
    await settle();
    expect(world.reports.at(-1)).toMatchObject({ converged: true, expected: { containers: [] } });
    await stop();
  });

  it('goes on when the engine cannot be asked, and says so', async () => {
    let broken = true;
    const { clock, world, stop } = setUp({
      observe: () => (broken ? Promise.reject(new Error('no engine')) : Promise.resolve([])),
    });
    await settle();
    expect(world.lines).toEqual(['The node cannot be looked at: no engine']);
    broken = false;
    await clock.advance(1_000);
    expect(world.reports.at(-1)?.phase).toBe('idle');
    await stop();
  });

  it('P02: reports, polls and heals while containers take their whole grace to stop', async () => {
    const { bell, clock, node, world, stop } = setUp();
    const old = { ...web, allocationId: 'old', ip: '10.200.1.9' };
    node.containers = [running(web, 'c1', clock.now()), running(old, 'c2', clock.now())];
    node.graces.set('old', 600_000);
    world.expected = expecting(web);
    bell.ring('expected_state');
    await settle();
    const state = (report = world.reports.at(-1)) => report?.seen.map(({ local }) => local.state);
    // What is under way may bring something back: only an idle node has lost what it does not report.
    expect(world.reports.at(-1)).toMatchObject({ phase: 'processing', converged: false });
    expect(state()).toEqual(['running', 'stopping']);
    const polls = world.polls;
    node.containers = node.containers.map((one) => (one.allocationId === 'a1' ? exited(one, 137) : one));
    bell.ring('engine_event');
    await settle();
    expect(node.done).toEqual(['start']);
    expect(world.polls).toBe(polls + 1);
    expect(state()).toEqual(['stopping', 'running']);
    await clock.advance(600_000);
    expect(world.reports.at(-1)).toMatchObject({ phase: 'idle', converged: true });
    expect([node.begun, state()]).toEqual([['old'], ['running']]);
    await stop();
  });

  it('ends when what it has begun has ended', async () => {
    const abort = new AbortController();
    const { bell, node, world, stop } = setUp({ signal: abort.signal });
    node.containers = [running(web, 'c1', new Date())];
    node.graces.set('a1', 600_000);
    world.expected = expecting();
    bell.ring('expected_state');
    await settle();
    let ended = false;
    const stopped = stop().then(() => (ended = true));
    await settle();
    expect(ended).toBe(false);
    abort.abort(new Error('The agent stops.'));
    await stopped;
    expect(world.lines.at(-1)).toMatch(/^Stop container c1: .*cancelled/);
  });

  it('probes what runs and is expected, and nothing else', () => {
    const seen = running(web, 'c1', new Date());
    expect(targetsOf(expecting(web), [seen])).toMatchObject([{ allocationId: 'a1', containerId: 'c1', port: 8080 }]);
    expect(targetsOf(expecting(), [seen])).toEqual([]);
    expect(targetsOf(expecting(web), [exited(seen, 1)])).toEqual([]);
  });
});
