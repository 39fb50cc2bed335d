import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import Value from 'typebox/value';
import { ExpectedState } from '../contract/expected-state.ts';
import { defaultHealth } from '../spec/defaults.ts';
import type { ServiceSpec } from '../spec/service.ts';
import { containerSpecDigest, etagOf, expectedState, type ExpectedRow, type ExpectedRows } from './expected-state.ts';

const spec: ServiceSpec = {
  name: 'web',
  command: null,
  env: { PORT: '80' },
  secrets: [],
  port: 80,
  health: defaultHealth(80),
  resources: { cpuMillis: 500, memoryBytes: 2 ** 28, pids: 100 },
  replicas: 1,
  stopGraceMs: 1_000,
  deadlineMs: 60_000,
};
const row = (id: string, changed: Partial<ExpectedRow> = {}): ExpectedRow => ({
  allocationId: `a${id}`,
  serviceId: `s${id}`,
  serviceName: 'web',
  environment: 'production',
  releaseId: 'r',
  generation: 1,
  ip: `10.200.3.${id}`,
  imageName: 'localhost:5000/web',
  imageDigest: `sha256:${'a'.repeat(64)}`,
  spec,
  secrets: [],
  sealed: null,
  leasedUntil: null,
  ...changed,
});
const rows = (...allocations: ExpectedRow[]): ExpectedRows => ({
  node: { id: 'n', generation: 7, containerCidr: '10.200.3.0/24' },
  registries: [
    { host: 'b:1', insecure: false, sealedCredentials: 'x' },
    { host: 'a:1', insecure: true, sealedCredentials: null },
  ],
  allocations,
  work: [],
  mesh: null,
  keptImages: ['b:1/web@sha256:2', 'a:1/web@sha256:1', 'b:1/web@sha256:2'],
});

describe('expectedState', () => {
  it('names each image that stays once; that list alone makes no other state', () => {
    const state = expectedState(rows(row('3')));
    expect(state.keptImages).toEqual(['a:1/web@sha256:1', 'b:1/web@sha256:2']);
    expect(etagOf({ ...state, keptImages: [] })).toBe(etagOf(state));
  });

  it('is what the contract says', () => {
    const state = expectedState(rows(row('3'), row('2', { leasedUntil: new Date('2030-01-01T00:00:00Z') })));
    expect(Value.Check(ExpectedState, state)).toBe(true);
    expect(state).toMatchObject({
      nodeId: 'n',
      generation: 7,
      network: { name: 'landfall', subnet: '10.200.3.0/24', gateway: '10.200.3.1' },
      registries: [{ host: 'a:1' }, { host: 'b:1' }],
      containers: [
        {
          allocationId: 'a2',
          image: `localhost:5000/web@sha256:${'a'.repeat(64)}`,
          leasedUntil: '2030-01-01T00:00:00.000Z',
        },
        { allocationId: 'a3' },
      ],
      problems: [],
    });
  });

  it('P04: names a bad row and leaves it out; the rest goes on', () => {
    const bad: [Partial<ExpectedRow>, RegExp][] = [
      [{ spec: null }, /^web: its spec cannot be understood: /],
      [{ spec: { ...spec, port: 'http' } }, /cannot be understood: .*port/],
      [{ imageDigest: 'latest' }, /^web: latest is not an image digest\.$/],
      [{ ip: '10.200.30.9' }, /is not an address of its node/],
      [{ spec: { ...spec, secrets: ['TOKEN'] } }, /its secrets are missing: TOKEN/],
      [
        { spec: { ...spec, secrets: ['TOKEN'] }, secrets: [{ name: 'TOKEN', state: 'key_missing' }] },
        /^web: its secrets are encrypted under a master key that is not here: TOKEN\.$/,
      ],
      [{ ip: '10.200.3.2', generation: 2 }, /10\.200\.3\.2 is taken by web/],
    ];
    for (const [changed, message] of bad) {
      const state = expectedState(rows(row('2'), row('9', changed), row('4')));
      expect(state.containers.map(({ allocationId }) => allocationId)).toEqual(['a2', 'a4']);
      expect(state.problems).toEqual([{ serviceId: 's9', message: expect.stringMatching(message) as string }]);
    }
  });

  it('P04: survives any spec', () => {
    fc.assert(
      fc.property(fc.anything(), (anything) => {
        const state = expectedState(rows(row('2'), row('9', { spec: anything })));
        expect(state.containers[0]?.allocationId).toBe('a2');
        expect(state.containers.length + state.problems.length).toBe(2);
      }),
    );
  });

  it('P17: does not depend on the order of rows', () => {
    const all = [
      row('2'),
      row('3'),
      row('4', { spec: null }),
      row('5', { ip: '10.200.3.2' }),
      row('6', { imageDigest: '' }),
    ];
    const expected = JSON.stringify(expectedState(rows(...all)));
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
        expect(JSON.stringify(expectedState(rows(...shuffled)))).toBe(expected);
      }),
    );
  });
});

describe('containerSpecDigest', () => {
  const shape = {
    image: 'i',
    command: null,
    env: { A: '1' },
    port: 80,
    ip: '10.0.0.2',
    resources: spec.resources,
    health: spec.health,
    stopGraceMs: 1,
    secretsVersion: null,
  };

  it('P15: differs with anything that shapes the container', () => {
    const others = [
      { ...shape, image: 'j' },
      { ...shape, command: ['x'] },
      { ...shape, env: { A: '2' } },
      { ...shape, port: 81 },
      { ...shape, ip: '10.0.0.3' },
      { ...shape, resources: { ...shape.resources, pids: 1 } },
      { ...shape, health: defaultHealth(null) },
      { ...shape, stopGraceMs: 2 },
      { ...shape, secretsVersion: 'v2' },
    ];
    expect(new Set([shape, ...others].map(containerSpecDigest)).size).toBe(others.length + 1);
  });
});

describe('etagOf', () => {
  it('changes with content and generation, and not when the same secrets are sealed again', () => {
    const state = (sealed: ExpectedRow['sealed'], generation = 1) =>
      etagOf({ ...expectedState(rows(row('2', { sealed }))), generation });
    const first = state({ secrets: 'x', version: '1' });
    expect(first).toMatch(/^"[0-9a-f]{64}"$/);
    expect(state({ secrets: 'y', version: '1' })).toBe(first);
    expect(state({ secrets: 'x', version: '2' })).not.toBe(first);
    expect(state({ secrets: 'x', version: '1' }, 2)).not.toBe(first);
  });
});
