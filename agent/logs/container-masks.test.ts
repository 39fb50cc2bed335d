import { describe, expect, it } from 'vitest';
import type { ExpectedContainer, ExpectedState } from '../../core/contract/expected-state.ts';
import { expectedContainer } from '../testing/control-plane.ts';
import { containerMasks } from './container-masks.ts';

const canary = 'canary-55aa10';
const container = (allocationId: string, sealedSecrets: string | null): ExpectedContainer => ({
  ...expectedContainer({ image: '', ip: '' }),
  allocationId,
  sealedSecrets,
});
const state = (...containers: ExpectedContainer[]): ExpectedState => ({
  ...{ nodeId: 'n', generation: 1, network: { name: 'landfall', subnet: '', gateway: '' } },
  ...{ registries: [], containers, work: [], problems: [] },
});

function masks() {
  const opened: string[] = [];
  const lines: string[] = [];
  const made = containerMasks({
    open: ({ sealedSecrets }) => {
      opened.push(sealedSecrets ?? 'none');
      if (sealedSecrets === 'broken') throw new Error('sealed to another node');
      return sealedSecrets === null ? {} : { TOKEN: sealedSecrets };
    },
    log: (line) => lines.push(line),
  });
  return { ...made, opened, lines };
}

const none = new Set<string>();

describe('masks of containers', () => {
  it('P65: take out the secrets of the container, and of no other', () => {
    const { remember, of } = masks();
    remember(state(container('a', canary), container('b', null)), none);
    expect(of('a')?.text(`token is ${canary}`)).toBe('token is ***');
    expect(of('b')?.text(`token is ${canary}`)).toBe(`token is ${canary}`);
  });

  it('P65: hold for the last lines of a container that nothing expects any more', () => {
    const { remember, of } = masks();
    remember(state(container('a', canary)), none);
    remember(state(), new Set(['a']));
    expect(of('a')?.text(canary)).toBe('***');
    remember(state(), none);
    expect(of('a')).toBeNull();
  });

  it('P65: show nothing of a container whose secrets are not known or do not open', () => {
    const { remember, of, lines } = masks();
    expect(of('a')).toBeNull();
    remember(state(container('a', 'broken')), none);
    expect(of('a')).toBeNull();
    expect(lines).toHaveLength(1);
  });

  it('open what is sealed once, and keep the earlier values of an allocation', () => {
    const { remember, of, opened } = masks();
    for (let count = 0; count < 3; count++) remember(state(container('a', canary)), none);
    remember(state(container('a', 'another-value')), none);
    expect(opened).toEqual([canary, 'another-value']);
    expect(of('a')?.text(`${canary} another-value`)).toBe('*** ***');
  });
});
