import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { expectedContainer } from '../testing/control-plane.ts';
import { expecting } from '../../test/core/facts.ts';
import { exited, fakeNode, running } from '../testing/fake-node.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { systemClock } from './clock.ts';
import { ActionFailed } from './failure.ts';
import { emptyMemory, withStopping } from './memory.ts';
import { look, runPass, type PassPorts } from './pass.ts';

const web = expectedContainer({ image: 'r/web@sha256:1', ip: '10.200.1.2', allocationId: 'a1' });
const api = expectedContainer({ image: 'r/api@sha256:2', ip: '10.200.1.3', allocationId: 'a2', serviceName: 'api' });

beforeEach(() => vi.useFakeTimers({ now: new Date('2030-01-01T00:00:00Z') }));
afterEach(() => vi.useRealTimers());

function setUp(change: Partial<PassPorts> = {}) {
  const node = fakeNode(systemClock);
  const memory = emptyMemory();
  const lines: string[] = [];
  const ports: PassPorts = {
    clock: systemClock,
    limits: { passMs: 10_000, actionMs: 4_000 },
    signal: new AbortController().signal,
    observe: node.observe,
    execute: node.execute,
    parts: node.parts,
    current: () => null,
    logTail: () => Promise.resolve(['last words']),
    changed: () => undefined,
    wake: () => undefined,
    log: (line) => lines.push(line),
    ...change,
  };
  return { node, memory, ports, lines };
}

/** One that nothing expects. */
const old = (allocationId: string, ip = '10.200.1.9') =>
  running({ ...web, allocationId, ip }, `container-of-${allocationId}`, new Date());

/** What never ends by itself, as a pull from a registry that says nothing. */
const hangs = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('cancelled'))));

describe('a pass', () => {
  it('carries out the plan, one action at a time, until nothing is left', async () => {
    const { node, memory, ports, lines } = setUp();
    node.containers.push(old('gone'));
    const { seen } = await runPass(expecting(web, api), memory, ports);
    expect(node.done.toSorted()).toEqual(['deploy_missing', 'deploy_missing', 'stop_orphan']);
    expect(seen.map(({ allocationId }) => allocationId)).toEqual(['a1', 'a2']);
    expect(lines).toHaveLength(3);
    expect(memory.results.map(({ ok }) => ok)).toEqual([true, true, true]);
  });

  it('mends names, routes and peers after the containers, and says which generation of each is in force', async () => {
    const { node, memory, ports, lines } = setUp();
    node.differences = { dns: ['other names are served'], routes: [], peers: ['Add peer b', 'Add peer c'] };
    node.failing.set('peers', () => Promise.reject(new StalledError('x', 'No wg.', { hint: 'Install it.' })));
    await runPass({ ...expecting(web), generation: 7 }, memory, ports);
    expect(node.done).toEqual(['deploy_missing', 'update_dns']);
    expect(memory.inForce).toEqual({ dns: 7, routes: 7, peers: 0 });
    expect(memory.results.at(-1)).toMatchObject({ kind: 'update_peers', ok: false, message: 'No wg. Install it.' });
    expect(lines.at(-1)).toBe('Update the private network: Add peer b; Add peer c: No wg. Install it.');
  });

  it('does nothing when nothing differs', async () => {
    const { node, memory, ports } = setUp();
    node.containers.push(running(web, 'c1', new Date()));
    await runPass(expecting(web), memory, ports);
    expect(node.done).toEqual([]);
  });

  it('P02: a failing action is recorded with its backoff, and the others still run', async () => {
    const { node, memory, ports } = setUp();
    node.failing.set('a1', () => Promise.reject(new ActionFailed('registry_refused', 'The password is wrong.')));
    await runPass(expecting(web, api), memory, ports);
    expect(node.done).toEqual(['deploy_missing']);
    expect(memory.failures.get('a1')).toEqual({ code: 'registry_refused', message: 'The password is wrong.' });
    const [failed] = memory.results;
    expect(failed).toMatchObject({ subject: 'a1', ok: false, message: 'The password is wrong.' });
    expect(Date.parse(failed?.retryAt ?? '')).toBeGreaterThan(Date.now());
  });

  it('forgets a failure once the action has succeeded', async () => {
    const { node, memory, ports } = setUp();
    node.failing.set('a1', () => Promise.reject(new ActionFailed('pull_failed', 'No answer.')));
    await runPass(expecting(web), memory, ports);
    node.failing.clear();
    await vi.advanceTimersByTimeAsync(60_000);
    await runPass(expecting(web), memory, ports);
    expect(memory.failures.size + memory.backoffs.size).toBe(0);
  });

  it('P03: cancels an action at its deadline and goes on with the next', async () => {
    const { node, memory, ports } = setUp();
    node.failing.set('a1', hangs);
    const pass = runPass(expecting(web, api), memory, ports);
    await vi.advanceTimersByTimeAsync(4_000);
    await pass;
    expect(node.done).toEqual(['deploy_missing']);
    expect(memory.failures.get('a1')?.message).toMatch(/took longer than 4000 ms and was cancelled/);
    expect(memory.failures.get('a1')?.code).toBe('pull_failed');
  });

  it('P03: ends the whole pass at its deadline, whatever is left to do', async () => {
    const containers = ['a1', 'a2', 'a3', 'a4'].map((allocationId) => ({ ...web, allocationId }));
    const { node, memory, ports } = setUp();
    for (const { allocationId } of containers) node.failing.set(allocationId, hangs);
    const pass = runPass(expecting(...containers), memory, ports);
    await vi.advanceTimersByTimeAsync(10_000);
    await pass;
    expect(memory.results.map(({ durationMs }) => durationMs)).toEqual([4_000, 4_000, 2_000]);
  });

  it('cancels the action under way when the agent stops', async () => {
    const abort = new AbortController();
    const { node, memory, ports } = setUp({ signal: abort.signal });
    node.failing.set('a1', hangs);
    const pass = runPass(expecting(web, api), memory, ports);
    await vi.advanceTimersByTimeAsync(1);
    abort.abort(new Error('The agent stops.'));
    await pass;
    expect(node.done).toEqual([]);
  });

  it('keeps what an exited container said, counts its exit once, and starts it again', async () => {
    const { node, memory, ports } = setUp();
    node.containers.push(exited(running(web, 'c1', new Date('2029-12-31T23:00:00Z')), 7));
    await runPass(expecting(web), memory, ports);
    expect(memory.exits.get('a1')).toMatchObject({ exitCode: 7, lastLog: ['last words'] });
    expect(memory.restarts.get('a1')?.restarts).toBe(1);
    expect(node.done).toEqual(['start']);
  });

  it('counts an exit once, however many look at it at the same time', async () => {
    const { node, memory, ports } = setUp();
    node.containers.push(exited(running(web, 'c1', new Date('2029-12-31T23:00:00Z')), 7));
    await Promise.all([look(memory, ports), look(memory, ports)]);
    expect(memory.restarts.get('a1')?.restarts).toBe(1);
  });

  it('does not start a container again and again that exits at once', async () => {
    const { node, memory, ports } = setUp();
    const execute: PassPorts['execute'] = async (action, context) => {
      await node.execute(action, context);
      await vi.advanceTimersByTimeAsync(1);
      node.containers = node.containers.map((one) => exited(one, 1));
    };
    await runPass(expecting(web), memory, { ...ports, execute });
    expect(node.done.length).toBeLessThan(4);
    expect(node.containers[0]?.local.state).toBe('exited');
    expect(memory.restarts.get('a1')?.retryAt.getTime()).toBeGreaterThan(Date.now());
  });

  it('records a success that changed nothing as a failure', async () => {
    const { memory, ports } = setUp();
    await runPass(expecting(web), memory, { ...ports, execute: () => Promise.resolve() });
    expect(memory.failures.get('a1')?.message).toMatch(/succeeded, but the difference is still there/);
  });

  it('P03: looks and reports every ten seconds while an action takes long', async () => {
    const reports: (string | undefined)[] = [];
    const { node, memory, ports } = setUp({
      limits: { passMs: 60_000, actionMs: 35_000 },
      changed: (seen) => reports.push(seen.find(({ allocationId }) => allocationId === 'a1')?.local.state),
    });
    node.containers.push(running(web, 'c1', new Date()));
    node.failing.set('a2', hangs);
    const pass = runPass(expecting(web, api), memory, ports);
    await vi.advanceTimersByTimeAsync(15_000);
    node.containers = node.containers.map((one) => exited(one, 1));
    await vi.advanceTimersByTimeAsync(19_000);
    // The first when its image is asked for; one at 10 seconds, and two that know of the exit.
    expect(reports).toEqual(['running', 'running', 'exited', 'exited']);
    await vi.advanceTimersByTimeAsync(60_000);
    await pass;
    expect(memory.restarts.get('a1')?.restarts).toBe(1);
  });

  it('tells that a container is being fetched while it is', async () => {
    const { node, memory, ports } = setUp();
    const pulling: string[][] = [];
    await runPass(expecting(web), memory, { ...ports, changed: () => void pulling.push([...memory.pulling]) });
    expect(pulling[0]).toEqual(['a1']);
    expect([...memory.pulling]).toEqual([]);
    expect(node.done).toEqual(['deploy_missing']);
  });
});

describe('a container that is replaced', () => {
  const changed = { ...web, specDigest: 'another' };
  /** While it stops another service comes, whose pull takes longer than all of it. */
  async function replaced(current: PassPorts['current']): Promise<string[]> {
    const { node, memory, ports } = setUp({ current });
    node.containers.push(running(web, 'c1', new Date()));
    node.graces.set('a1', 50);
    await runPass(expecting(changed), memory, ports);
    node.failing.set('a2', hangs);
    const pass = runPass(expecting(changed, api), memory, ports);
    await vi.advanceTimersByTimeAsync(100);
    const done = [...node.done];
    await vi.advanceTimersByTimeAsync(20_000);
    await pass;
    return done;
  }

  it('has its successor at once, whatever the loop is busy with', async () => {
    expect(await replaced(() => expecting(changed, api))).toEqual(['redeploy', 'deploy_missing']);
  });

  it('has none that nothing expects any more, and leaves one that moves or has changed again to the plan', async () => {
    expect(await replaced(() => expecting(api))).toEqual(['redeploy']);
    expect(await replaced(() => expecting({ ...changed, specDigest: 'a third' }, api))).toEqual(['redeploy']);
    expect(await replaced(() => expecting({ ...changed, ip: '10.200.1.77' }, api))).toEqual(['redeploy']);
    expect(await replaced(() => null)).toEqual(['redeploy']);
  });
});

describe('a pass with containers that take their whole grace to stop', () => {
  const stubborn = ['o1', 'o2', 'o3', 'o4'];
  const graceMs = 9_000;

  function withStubborn(change: Partial<PassPorts> = {}) {
    const wakes: Date[] = [];
    const scene = setUp({ wake: () => wakes.push(new Date()), ...change });
    for (const allocationId of stubborn) {
      scene.node.containers.push(old(allocationId));
      scene.node.graces.set(allocationId, graceMs);
    }
    return { ...scene, wakes };
  }

  it('P02: starts, deploys and mends everything else meanwhile, and ends', async () => {
    const { node, memory, ports, wakes } = withStubborn();
    node.containers.push(exited(running(web, 'c1', new Date()), 137));
    node.differences.dns = ['other names are served'];
    const { seen, underWay } = await runPass(expecting(web, api), memory, ports);
    expect(node.begun).toEqual(stubborn);
    expect(node.done).toEqual(['start', 'deploy_missing', 'update_dns']);
    expect(underWay.map(({ allocationId }) => allocationId)).toEqual(stubborn);
    expect(seen.filter(({ local }) => local.state === 'stopping')).toHaveLength(stubborn.length);
    expect(wakes).toEqual([]);
  });

  it('P03: counts the grace of each on top of the limit of an action, all at the same time, and looks again at their end', async () => {
    const { node, memory, ports, wakes } = withStubborn();
    await runPass(expecting(), memory, ports);
    await vi.advanceTimersByTimeAsync(graceMs);
    expect(memory.results.map(({ ok, durationMs }) => [ok, durationMs])).toEqual(stubborn.map(() => [true, graceMs]));
    expect(wakes).toHaveLength(stubborn.length);
    expect(node.containers).toEqual([]);
    const { underWay } = await runPass(expecting(), memory, ports);
    expect([underWay, memory.failures.size, memory.backoffs.size]).toEqual([[], 0, 0]);
  });

  it('P03: gives one up that has not stopped by then, and tries it again after its backoff', async () => {
    const { node, memory, ports } = withStubborn();
    node.graces.clear();
    node.failing.set('o1', async (signal) => {
      node.begun.push('o1');
      return hangs(signal);
    });
    await runPass(expecting(), memory, ports);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(memory.results.at(-1)).toMatchObject({ subject: 'o1', ok: false });
    expect(memory.results.at(-1)?.message).toMatch(/took longer than 4000 ms and was cancelled/);
    await runPass(expecting(), memory, ports);
    expect(node.begun.filter((one) => one === 'o1')).toHaveLength(1);
    node.failing.clear();
    await vi.advanceTimersByTimeAsync(1_000);
    await runPass(expecting(), memory, ports);
    expect(node.begun.filter((one) => one === 'o1')).toHaveLength(2);
  });

  it('begins none of them again in the next pass, however long they take', async () => {
    const { node, memory, ports } = withStubborn();
    for (let count = 0; count < 3; count++) {
      await runPass(expecting(web), memory, ports);
      await vi.advanceTimersByTimeAsync(graceMs / 3 - 1);
    }
    expect(node.begun).toEqual(stubborn);
  });

  it('deploys what has the address of one of them when that is gone', async () => {
    const { node, memory, ports } = withStubborn();
    const heir = { ...web, ip: '10.200.1.12' };
    node.containers = [old('o1', heir.ip)];
    await runPass(expecting(heir, api), memory, ports);
    expect(node.containers.map(({ allocationId }) => allocationId)).toEqual(['o1', 'a2']);
    await vi.advanceTimersByTimeAsync(graceMs);
    await runPass(expecting(heir, api), memory, ports);
    expect(node.containers.map(({ allocationId }) => allocationId)).toEqual(['a2', 'a1']);
  });

  it('replaces the replicas of a service one after the other, each from the newest state', async () => {
    const { node, memory, ports } = withStubborn();
    const replicas = [web, { ...api, serviceName: 'web' }];
    node.containers = replicas.map((one) =>
      running({ ...one, image: 'r/web@sha256:0' }, `old-${one.allocationId}`, new Date()),
    );
    for (const { allocationId } of replicas) node.graces.set(allocationId, graceMs);
    await runPass(expecting(...replicas), memory, ports);
    expect(node.begun).toEqual(['a1']);
    await vi.advanceTimersByTimeAsync(graceMs);
    const newest = replicas.map((one) => ({ ...one, image: 'r/web@sha256:9' }));
    const { seen } = await runPass(expecting(...newest), memory, ports);
    expect(node.begun).toEqual(['a1', 'a2']);
    expect(seen.map(({ local }) => [local.image, local.state])).toEqual([
      ['r/web@sha256:0', 'stopping'],
      ['r/web@sha256:9', 'running'],
    ]);
  });

  it('does not count the end of one as a crash of its allocation', async () => {
    const { node, memory, ports } = withStubborn();
    await runPass(expecting(), memory, ports);
    node.containers = node.containers.map((one) => exited(one, 143));
    await runPass(expecting(), memory, ports);
    expect([memory.exits.size, memory.restarts.size]).toEqual([0, 0]);
  });

  it('records as a failure that one is still there when it was said to be gone', async () => {
    const { node, memory, ports } = withStubborn();
    let calls = 0;
    const execute: PassPorts['execute'] = () => Promise.resolve(void (calls += 1));
    node.containers = [old('o1')];
    for (let count = 0; count < 3; count++) await runPass(expecting(), memory, { ...ports, execute });
    expect(calls).toBe(1);
    expect(memory.results.at(-1)?.message).toMatch(/succeeded, but the difference is still there/);
  });

  it('cancels them when the agent stops', async () => {
    const abort = new AbortController();
    const { memory, ports } = withStubborn({ signal: abort.signal });
    await runPass(expecting(), memory, ports);
    const ended = [...memory.underWay.values()].map((one) => one.ended);
    expect(ended).toHaveLength(stubborn.length);
    abort.abort(new Error('The agent stops.'));
    await Promise.all(ended);
    expect(memory.underWay.size).toBe(0);
    expect(memory.results.map(({ ok }) => ok)).toEqual(stubborn.map(() => false));
  });
});

it('a container that was asked to stop is one that stops until it is removed, also once it has ended', () => {
  const memory = emptyMemory();
  const seen = exited(running(web, 'c1', new Date()), 137);
  expect(withStopping(memory, seen).local.state).toBe('exited');
  memory.stopping.add('c1');
  expect(withStopping(memory, seen).local.state).toBe('stopping');
  expect(withStopping(memory, running(web, 'c1', new Date())).local.state).toBe('stopping');
});
