import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { expectedContainer } from '../testing/control-plane.ts';
import { expecting } from '../../test/core/facts.ts';
import { exited, fakeNode, running } from '../testing/fake-node.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { systemClock } from './clock.ts';
import { ActionFailed } from './failure.ts';
import { emptyMemory } from './memory.ts';
import { runPass, type PassPorts } from './pass.ts';

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
    logTail: () => Promise.resolve(['last words']),
    changed: () => undefined,
    log: (line) => lines.push(line),
    ...change,
  };
  return { node, memory, ports, lines };
}

/** What never ends by itself, as a pull from a registry that says nothing. */
const hangs = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('cancelled'))));

describe('a pass', () => {
  it('carries out the plan, one action at a time, until nothing is left', async () => {
    const { node, memory, ports, lines } = setUp();
    node.containers.push(running({ ...web, allocationId: 'gone' }, 'old', new Date()));
    const { seen } = await runPass(expecting(web, api), memory, ports);
    expect(node.done).toEqual(['stop_orphan', 'deploy_missing', 'deploy_missing']);
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

  it('tells that a container is being fetched while it is', async () => {
    const { node, memory, ports } = setUp();
    const pulling: string[][] = [];
    await runPass(expecting(web), memory, { ...ports, changed: () => void pulling.push([...memory.pulling]) });
    expect(pulling[0]).toEqual(['a1']);
    expect([...memory.pulling]).toEqual([]);
    expect(node.done).toEqual(['deploy_missing']);
  });
});
