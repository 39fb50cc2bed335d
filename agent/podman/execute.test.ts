import { describe, expect, it } from 'vitest';
import type { ContainerAction } from '../../core/plan/action.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { ActionFailed } from '../loop/failure.ts';
import { expectedContainer } from '../testing/control-plane.ts';
import { expecting } from '../../test/core/facts.ts';
import { EngineError } from './errors.ts';
import { executor, type ActionEngine, type ExecuteOptions } from './execute.ts';

const web = expectedContainer({ image: 'r:5000/web@sha256:1', ip: '10.200.1.2', allocationId: 'a1' });
const deploy: ContainerAction = { kind: 'deploy_missing', allocationId: 'a1', container: web };
const redeploy = (force: boolean): ContainerAction => ({
  ...{ kind: 'redeploy', allocationId: 'a1', containerId: 'old', container: web, cause: 'spec', force },
});

/** An engine as data; `fails` makes one call end with this error. */
function setUp(change: Partial<ExecuteOptions> = {}) {
  const engine = {
    images: new Set<string>(),
    containers: new Map<string, 'created' | 'running'>([['old', 'running']]),
    config: { StopTimeout: 3, StopSignal: 'SIGQUIT' },
    log: [] as string[],
    fails: new Map<string, Error>(),
  };
  const call = <T>(name: string, run: () => T): Promise<T> => {
    engine.log.push(name);
    const error = engine.fails.get(name);
    return error === undefined ? Promise.resolve(run()) : Promise.reject(error);
  };
  const podman: ActionEngine = {
    imageExists: (image: string) => Promise.resolve(engine.images.has(image)),
    pull: ({ image }: { image: string }) => call('pull', () => void engine.images.add(image)),
    create: () => call('create', () => (engine.containers.set('new', 'created'), 'new')),
    start: (id: string) => call('start', () => void engine.containers.set(id, 'running')),
    kill: (id: string, name: string | number) => call(`kill ${name}`, () => engine.containers.get(id) === 'running'),
    ended: (_id: string, withinMs: number) => call(`wait ${withinMs}`, () => undefined),
    remove: (id: string) => call('remove', () => void engine.containers.delete(id)),
    inspect: (id: string) => Promise.resolve(engine.containers.has(id) ? { Config: engine.config } : null),
  };
  const execute = executor({
    podman,
    ensureNetwork: () => Promise.resolve(),
    ulimits: [],
    cgroupParent: null,
    openSecrets: () => ({}),
    openCredentials: () => null,
    onPull: () => Promise.resolve(),
    diagnosePull: (_pull, error) => Promise.resolve(new ActionFailed('registry_refused', error.message)),
    diskFull: () => Promise.resolve(false),
    ...change,
  });
  const pulling: string[] = [];
  const run = (action: ContainerAction) =>
    execute(action, {
      expected: expecting(web),
      signal: new AbortController().signal,
      onPulling: () => pulling.push('now'),
      onStopping: (containerId, graceMs) => engine.log.push(`${containerId} may take ${graceMs}`),
    });
  return { engine, run, pulling };
}

describe('an action', () => {
  it('P81: notes an image before it pulls it, and never one that was there', async () => {
    const noted: string[][] = [];
    const { engine, run } = setUp({ onPull: (image) => Promise.resolve(void noted.push([image, ...engine.log])) });
    await run(deploy);
    expect(noted).toEqual([[web.image]]);
    await run(redeploy(false));
    expect(noted).toHaveLength(1);
  });

  it('P65: tells of a failure without the secrets that the engine repeats', async () => {
    const { engine, run } = setUp({ openSecrets: () => ({ TOKEN: 'canary-9b1f' }) });
    engine.fails.set('create', new EngineError('engine_refused', 'bad env TOKEN=canary-9b1f', { status: 500 }));
    await expect(run(deploy)).rejects.toMatchObject({ code: 'create_failed', message: 'bad env TOKEN=***' });
  });

  it('deploys: pull, create, start', async () => {
    const { engine, run, pulling } = setUp();
    await run(deploy);
    expect(engine.log).toEqual(['pull', 'create', 'start']);
    expect(pulling).toEqual(['now']);
  });

  it('pulls nothing that is here', async () => {
    const { engine, run, pulling } = setUp();
    engine.images.add(web.image);
    await run(deploy);
    expect(engine.log).toEqual(['create', 'start']);
    expect(pulling).toEqual([]);
  });

  it('replaces: what runs is stopped, with the grace it was created with, only when the image of its successor is here', async () => {
    const { engine, run } = setUp();
    await run(redeploy(false));
    expect(engine.log).toEqual(['pull', 'old may take 3000', 'kill SIGQUIT', 'wait 3000', 'remove']);
  });

  it('P06: leaves what runs alone when its successor cannot be fetched', async () => {
    const { engine, run } = setUp();
    engine.fails.set('pull', new EngineError('pull_failed', 'unauthorized'));
    await expect(run(redeploy(false))).rejects.toMatchObject({ code: 'registry_refused' });
    expect(engine.containers.get('old')).toBe('running');
  });

  it('P22: removes by force what only claims to run', async () => {
    const { engine, run } = setUp();
    await run(redeploy(true));
    expect(engine.log).toEqual(['pull', 'remove']);
  });

  it('P03: gives an orphan its own grace period before it is removed, and tells of it before it waits', async () => {
    const { engine, run } = setUp();
    await run({ kind: 'stop_orphan', allocationId: 'gone', containerId: 'old', force: false });
    expect(engine.log).toEqual(['old may take 3000', 'kill SIGQUIT', 'wait 3000', 'remove']);
  });

  it.each([
    ['does not run', { state: 'created' as const, grace: 3 }, ['old may take 3000', 'kill SIGQUIT', 'remove']],
    ['gets no grace', { state: 'running' as const, grace: 0 }, ['remove']],
  ])('waits for no container that %s', async (_what, { state, grace }, calls) => {
    const { engine, run } = setUp();
    engine.containers.set('old', state);
    engine.config.StopTimeout = grace;
    await run({ kind: 'stop_orphan', allocationId: 'gone', containerId: 'old', force: false });
    expect(engine.log).toEqual(calls);
  });

  it.each(['create', 'start'])('says at which step it failed: %s', async (step) => {
    const { engine, run } = setUp();
    engine.fails.set(step, new EngineError('engine_refused', 'no such file', { status: 500 }));
    await expect(run(deploy)).rejects.toMatchObject({ code: `${step}_failed`, message: 'no such file' });
  });

  it.each(['pull', 'create', 'start'])('says that the disk is full, whatever failed: %s', async (step) => {
    const { engine, run } = setUp({ diskFull: () => Promise.resolve(true) });
    engine.fails.set(step, new EngineError('engine_refused', 'no space left on device', { status: 500 }));
    await expect(run(deploy)).rejects.toMatchObject({ code: 'disk_full' });
  });

  it('says that secrets do not open, and creates nothing without them', async () => {
    const openSecrets = () => {
      throw new StalledError('sealed_unreadable', 'It does not open.');
    };
    const { engine, run } = setUp({ openSecrets });
    await expect(run(deploy)).rejects.toMatchObject({ code: 'secrets_unreadable' });
    expect(engine.log).toEqual(['pull']);
  });
});
