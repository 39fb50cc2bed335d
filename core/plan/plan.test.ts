import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { container, local, observed } from '../../test/core/containers.ts';
import { expecting as state } from '../../test/core/facts.ts';
import { actionKey, describe as line, type Action } from './action.ts';
import { labelNames, labelsOf } from './labels.ts';
import { admitGeneration, isConverged, plan, planAgainAt } from './plan.ts';

const now = new Date('2030-01-01T00:00:00Z');
const at = (ms: number) => new Date(now.getTime() + ms);

const keys = (actions: readonly Action[]) => actions.map(actionKey);
const [a, b, c, d] = [container('a'), container('b'), container('c'), container('d')];

describe('plan', () => {
  it('is empty when nothing differs', () => {
    expect(plan(state(a, b), observed(local(a), local(b)), now)).toEqual([]);
    expect(isConverged(state(a, b), observed(local(a), local(b)), now)).toBe(true);
  });

  it('stops orphans, starts, deploys and redeploys, in this order', () => {
    const here = [
      local(a, { image: 'other' }),
      local(c, { state: 'exited' }),
      local(container('z')),
      local(d, { state: 'created' }),
    ];
    expect(keys(plan(state(a, b, c, d), observed(...here), now))).toEqual([
      'stop_orphan:c-z',
      'start:c',
      'start:d',
      'deploy_missing:b',
      'redeploy:a',
    ]);
  });

  it('P04: leaves alone what runs of a service that was left out of the state', () => {
    const withheld = { ...state(b), problems: [{ serviceId: a.serviceId, message: 'Its spec cannot be read.' }] };
    const other = container('z', { serviceId: 'another' });
    expect(keys(plan(withheld, observed(local(a), local(b), local(other)), now))).toEqual(['stop_orphan:c-z']);
  });

  it('P15: takes any difference of the spec for drift', () => {
    const causes = [
      { labels: { ...labelsOf(a), [labelNames.spec]: 'sha256:other' } },
      { image: 'registry/web@sha256:2' },
      { ip: '10.200.1.9' },
      { state: 'other' as const },
    ].map((changed) => plan(state(a), observed(local(a, changed)), now)[0]);
    expect(causes.map((action) => (action?.kind === 'redeploy' ? action.cause : action?.kind))).toEqual([
      'spec',
      'image',
      'address',
      'state',
    ]);
    expect(plan(state(a), observed(local(a, { image: null, ip: null })), now)).toEqual([]);
  });

  it('P22: removes by force what only claims to run, and deploys it anew', () => {
    const [action] = plan(state(a), observed(local(a, { state: 'dead' })), now);
    expect(action).toMatchObject({ kind: 'redeploy', cause: 'dead', force: true });
    expect(plan(state(), observed(local(a, { state: 'dead' })), now)).toMatchObject([
      { kind: 'stop_orphan', force: true },
    ]);
  });

  it('P01: leaves what a piece of work has leased alone, until the lease ends', () => {
    const leased = container('a', { leasedUntil: at(60_000).toISOString() });
    for (const changed of [{ state: 'exited' as const }, { image: 'other' }]) {
      expect(plan(state(leased, b), observed(local(leased, changed)), now)).toMatchObject([
        { kind: 'deploy_missing', allocationId: 'b' },
      ]);
      expect(plan(state(leased), observed(local(leased, changed)), at(60_000))).toHaveLength(1);
    }
    expect(planAgainAt(state(leased), observed(local(leased)), now)).toEqual(at(60_000));
  });

  it('P02: goes on with the others while a failed action waits', () => {
    const backoffs = [{ key: 'deploy_missing:a', failures: 3, retryAt: at(4_000) }];
    const given = { ...observed(), backoffs };
    expect(keys(plan(state(a, b), given, now))).toEqual(['deploy_missing:b']);
    expect(keys(plan(state(a, b), given, at(4_000)))).toEqual(['deploy_missing:a', 'deploy_missing:b']);
    expect(planAgainAt(state(a, b), given, now)).toEqual(at(4_000));
    expect(isConverged(state(a), given, now)).toBe(false);
  });

  it('starts an exited container when its time has come', () => {
    const given = {
      ...observed(local(a, { state: 'exited' })),
      restarts: [{ allocationId: 'a', restarts: 2, retryAt: at(1_000) }],
    };
    expect(plan(state(a), given, now)).toEqual([]);
    expect(keys(plan(state(a), given, at(1_000)))).toEqual(['start:a']);
    const changed = state(container('a', { specDigest: 'sha256:new' }));
    expect(keys(plan(changed, given, now))).toEqual(['redeploy:a']);
  });

  it('keeps one container for an allocation: the one as specified', () => {
    const twins = [
      local(a, { containerId: 'c1', image: 'other' }),
      local(a, { containerId: 'c2', state: 'exited' }),
      local(a, { containerId: 'c3' }),
    ];
    expect(keys(plan(state(a), observed(...twins), now))).toEqual(['stop_orphan:c1', 'stop_orphan:c2']);
  });

  it('never touches what is not ours', () => {
    const foreign = { ...local(a), labels: { 'io.podman.compose.project': 'x', [labelNames.serviceId]: 's' } };
    expect(plan(state(), observed(foreign), now)).toEqual([]);
  });

  it('updates names, then routes, then peers, after the containers; each waits for its own failure alone', () => {
    const parts = { dns: ['other names are served'], routes: ['Traefik does not run'], peers: ['Add peer b'] };
    const given = { ...observed(), parts };
    expect(keys(plan(state(a), given, now))).toEqual([
      'deploy_missing:a',
      'update_dns',
      'update_routes',
      'update_peers',
    ]);
    const backoffs = [{ key: 'update_routes', failures: 1, retryAt: at(1_000) }];
    expect(keys(plan(state(), { ...given, backoffs }, now))).toEqual(['update_dns', 'update_peers']);
    expect(isConverged(state(), { ...given, backoffs }, now)).toBe(false);
  });

  it('P17: does not depend on the order of containers, backoffs and restarts', () => {
    const expectedContainers = [a, b, c, d, container('e')];
    const here = [
      local(a, { state: 'dead' }),
      local(b, { containerId: 'x1', state: 'exited' }),
      local(b, { containerId: 'x2', state: 'exited' }),
      local(c, { ip: '10.200.1.9' }),
      local(container('y')),
      local(container('z')),
    ];
    const expected = plan(state(...expectedContainers), observed(...here), now);
    // What is to be started in place of the twin waits for its end, and who serves at a wrong address for the one that is dead.
    expect(expected.length).toBe(6);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(expectedContainers, { minLength: 5 }),
        fc.shuffledSubarray(here, { minLength: 6 }),
        (wanted, present) => {
          expect(plan(state(...wanted), observed(...present), now)).toEqual(expected);
        },
      ),
    );
  });

  it('converges: doing what it says leads to nothing to do', () => {
    const states = fc.constantFrom('created', 'running', 'exited', 'dead', 'other');
    const present = fc.array(
      fc.record({
        id: fc.constantFrom('a', 'b', 'c', 'y', 'z'),
        state: states,
        image: fc.constantFrom('registry/web@sha256:1', 'x'),
      }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(present, (given) => {
        const expected = state(a, b, c);
        let here = given.map(({ id, state: its, image }, index) =>
          local(container(id), { containerId: `c${index}`, state: its, image }),
        );
        for (let count = 0; count < 20; count++) {
          const [action] = plan(expected, observed(...here), now);
          if (!action) break;
          if ('containerId' in action) here = here.filter(({ containerId }) => containerId !== action.containerId);
          if ('container' in action) here.push(local(action.container, { containerId: `new${count}` }));
        }
        expect(isConverged(expected, observed(...here), now)).toBe(true);
        expect(here).toHaveLength(3);
      }),
    );
  });
});

describe('admitGeneration', () => {
  it('P21: refuses an older generation by name', () => {
    const applied = { nodeId: 'n', generation: 5 };
    expect(admitGeneration(null, applied)).toEqual({ ok: true });
    expect(admitGeneration(applied, { nodeId: 'n', generation: 5 })).toEqual({ ok: true });
    expect(admitGeneration(applied, { nodeId: 'n', generation: 6 })).toEqual({ ok: true });
    expect(admitGeneration(applied, { nodeId: 'n', generation: 4 })).toMatchObject({
      ok: false,
      code: 'generation_stale',
    });
    expect(admitGeneration(applied, { nodeId: 'm', generation: 9 })).toMatchObject({ ok: false, code: 'wrong_node' });
  });
});

describe('describe', () => {
  it('says in one line what an action does', () => {
    const here = [local(a, { state: 'dead' }), local(c, { state: 'exited' }), local(container('z'))];
    expect(plan(state(a, b, c), observed(...here), now).map(line)).toEqual([
      'Stop container c-z: nothing expects allocation z',
      'Start web (allocation c)',
      'Deploy web (allocation b) from registry/web@sha256:1',
      'Redeploy web (allocation a): its process is gone though the engine says it runs',
    ]);
  });
});
