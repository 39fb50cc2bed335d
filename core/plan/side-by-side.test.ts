import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { container, local, observed } from '../../test/core/containers.ts';
import { expecting as state } from '../../test/core/facts.ts';
import { actionKey, isRemoval, type Action, type Removal } from './action.ts';
import type { LocalContainer, Observed } from './observed.ts';
import { isConverged, plan, planAgainAt } from './plan.ts';

const now = new Date('2030-01-01T00:00:00Z');
const keys = (actions: readonly Action[]) => actions.map(actionKey);
const [a, b, z] = [container('a'), container('b'), container('z')];
const orphan = (of: LocalContainer): Removal => ({
  ...{ kind: 'stop_orphan', allocationId: of.labels['landfall.allocation.id'] ?? '', containerId: of.containerId },
  force: false,
});
const stopping = (underWay: readonly Removal[], ...containers: LocalContainer[]): Observed => ({
  ...observed(...containers),
  underWay,
});
const otherImage = { image: 'registry/web@sha256:0' };

describe('what goes on side by side', () => {
  it('P02: whatever needs nothing of a container that is to stop, or is stopping', () => {
    const here = [local(z), local(b, { state: 'exited' })];
    const planned = plan(state(a, b), observed(...here), now);
    expect(keys(planned)).toEqual(['stop_orphan:c-z', 'start:b', 'deploy_missing:a']);
    const underWay = planned.filter(isRemoval);
    expect(keys(plan(state(a, b), stopping(underWay, ...here), now))).toEqual(['start:b', 'deploy_missing:a']);
  });

  it('never the same removal twice; and until its end there is drift, which no time changes', () => {
    const given = stopping([orphan(local(z))], local(z, { state: 'stopping' }));
    expect(plan(state(), given, now)).toEqual([]);
    expect(isConverged(state(), given, now)).toBe(false);
    expect(planAgainAt(state(), given, now)).toBeNull();
  });

  it('all containers that nothing expects, those of one allocation too', () => {
    const twins = [local(z), local(z, { containerId: 'c-twin' }), local(container('y'))];
    expect(keys(plan(state(), observed(...twins), now))).toEqual([
      'stop_orphan:c-y',
      'stop_orphan:c-twin',
      'stop_orphan:c-z',
    ]);
    expect(keys(plan(state(), stopping([orphan(local(z))], ...twins), now))).toEqual([
      'stop_orphan:c-y',
      'stop_orphan:c-twin',
    ]);
  });

  it('not what has the address of one that is to go', () => {
    const heir = container('a', { ip: z.ip });
    const leaving = [local(z), local(b, { ip: a.ip })];
    expect(keys(plan(state(heir), observed(local(z)), now))).toEqual(['stop_orphan:c-z']);
    expect(plan(state(heir), stopping([orphan(local(z))], local(z, { state: 'stopping' })), now)).toEqual([]);
    // One that is to move elsewhere leaves its address as well.
    expect(keys(plan(state(a, b), observed(...leaving), now))).toEqual(['stop_orphan:c-z', 'redeploy:b']);
    expect(keys(plan(state(heir), observed(), now))).toEqual(['deploy_missing:a']);
  });

  it('lets two containers change their addresses', () => {
    const crossed = [local(a, { ip: b.ip }), local(b, { ip: a.ip })];
    const [first] = plan(state(a, b), observed(...crossed), now);
    expect(first && actionKey(first)).toBe('redeploy:a');
    expect(keys(plan(state(a, b), observed(...crossed.slice(1)), now))).toEqual(['redeploy:b']);
    expect(keys(plan(state(a, b), observed(), now))).toEqual(['deploy_missing:a', 'deploy_missing:b']);
  });

  it('does what is left when a stop fails and waits to be tried again', () => {
    const heir = container('a', { ip: z.ip });
    const backoffs = [{ key: 'stop_orphan:c-z', failures: 1, retryAt: new Date(now.getTime() + 1_000) }];
    expect(keys(plan(state(heir), { ...observed(local(z)), backoffs }, now))).toEqual(['deploy_missing:a']);
  });

  it('one action for an allocation', () => {
    const twins = [local(a, { state: 'exited' }), local(a, { containerId: 'c-twin', ...otherImage })];
    expect(keys(plan(state(a), observed(...twins), now))).toEqual(['stop_orphan:c-twin']);
    const [redeploy] = plan(state(a), observed(local(a, otherImage)), now).filter(isRemoval);
    if (redeploy === undefined) throw new Error('It is to be redeployed.');
    // It is begun, and nothing expects it any more.
    expect(plan(state(), stopping([redeploy], local(a, otherImage)), now)).toEqual([]);
    expect(plan(state(a), stopping([redeploy]), now)).toEqual([]);
  });

  it('of a service, one replica that is replaced while it serves; what does not serve waits for none', () => {
    const [c, other] = [container('c'), container('o', { serviceId: 'another' })];
    const here = [local(a, otherImage), local(b, otherImage), local(c, { state: 'dead' }), local(other, otherImage)];
    const expected = state(a, b, c, other);
    const planned = plan(expected, observed(...here), now);
    expect(keys(planned)).toEqual(['redeploy:c', 'redeploy:o']);
    expect(plan(expected, stopping(planned.filter(isRemoval), ...here), now)).toEqual([]);
    expect(keys(plan(expected, observed(...here.slice(0, 2), local(c)), now))).toEqual([
      'deploy_missing:o',
      'redeploy:a',
    ]);
    // The one that was removed is there again before the next one goes.
    expect(keys(plan(expected, observed(...here.slice(1, 2)), now))[0]).toBe('deploy_missing:a');
  });

  it('no more than three replicas that serve, however many have drifted', () => {
    const many = ['a', 'b', 'c', 'd', 'e'].map((id) => container(id, { serviceId: `service-${id}` }));
    const here = many.map((one) => local(one, otherImage));
    const planned = plan(state(...many), observed(...here), now);
    expect(keys(planned)).toEqual(['redeploy:a', 'redeploy:b', 'redeploy:c']);
    const [first, ...others] = planned.filter(isRemoval);
    expect(plan(state(...many), stopping([first!, ...others], ...here), now)).toEqual([]);
    expect(keys(plan(state(...many), stopping(others, ...here.slice(1)), now))).toEqual([
      'deploy_missing:a',
      'redeploy:d',
    ]);
  });

  it('P17: is the same whatever the order of containers and of removals under way', () => {
    const here = [local(z), local(a, otherImage), local(b, otherImage), local(container('y')), local(container('x'))];
    const underWay = [orphan(local(z)), orphan(local(container('y')))];
    const expected = plan(state(a, b), stopping(underWay, ...here), now);
    expect(keys(expected)).toEqual(['stop_orphan:c-x', 'redeploy:a']);
    fc.assert(
      fc.property(fc.shuffledSubarray(here, { minLength: 5 }), fc.constantFrom(0, 1), (present, order) => {
        const begun = order === 0 ? underWay : underWay.toReversed();
        expect(plan(state(b, a), stopping(begun, ...present), now)).toEqual(expected);
      }),
    );
  });

  it('comes to an end, whatever is there and whichever removal ends first', () => {
    const ids = ['a', 'b', 'y', 'z'];
    const present = fc.array(
      fc.record({
        id: fc.constantFrom(...ids),
        state: fc.constantFrom('running' as const, 'exited' as const, 'stopping' as const, 'dead' as const),
        ip: fc.constantFrom(...ids.map((id) => container(id).ip)),
      }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(present, fc.infiniteStream(fc.nat(5)), (given, choices) => {
        const expected = state(a, b);
        let here = given.map(({ id, ...changed }, at) => local(container(id), { containerId: `c${at}`, ...changed }));
        let underWay: Removal[] = [];
        for (let step = 0; step < 40 && !isConverged(expected, stopping(underWay, ...here), now); step++) {
          const planned = plan(expected, stopping(underWay, ...here), now);
          underWay = [...underWay, ...planned.filter(isRemoval)];
          const next = planned.find((action) => !isRemoval(action));
          if (next !== undefined && 'container' in next) {
            const { container: wanted } = next;
            expect(here.filter(({ ip }) => ip === wanted.ip && next.kind === 'deploy_missing')).toEqual([]);
            if (next.kind === 'start') here = here.filter(({ containerId }) => containerId !== next.containerId);
            here.push(local(wanted, { containerId: `new${step}` }));
          } else {
            const ended = underWay[choices.next().value % underWay.length];
            expect(ended).toBeDefined();
            underWay = underWay.filter((one) => one !== ended);
            here = here.filter(({ containerId }) => containerId !== ended?.containerId);
          }
        }
        expect(here).toHaveLength(2);
        expect(isConverged(expected, observed(...here), now)).toBe(true);
      }),
    );
  });
});
