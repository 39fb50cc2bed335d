import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultHealth } from '../spec/defaults.ts';
import { isReasonCode } from '../intent/reasons.ts';
import { leftOutReplicas, whyUnreadable, type ReplicaFacts } from './left-out.ts';

const spec = {
  ...{ name: 'web', command: null, env: {}, secrets: ['KEY', 'TOKEN'], port: 80, health: defaultHealth(80) },
  resources: { cpuMillis: 500, memoryBytes: 2 ** 28, pids: 100 },
  ...{ replicas: 1, stopGraceMs: 1_000, deadlineMs: 60_000 },
};
const opens = [
  { name: 'TOKEN', state: 'opens' },
  { name: 'KEY', state: 'opens' },
] as const;
const replica = (id: string, changed: Partial<ReplicaFacts> = {}): ReplicaFacts => ({
  ...{ allocationId: id, serviceName: 'web', generation: 1, ip: `10.200.3.${id}`, containerCidr: '10.200.3.0/24' },
  ...{ imageDigest: `sha256:${'a'.repeat(64)}`, spec, secrets: opens },
  ...changed,
});
const of = (changed: Partial<ReplicaFacts>) => leftOutReplicas([replica('2', changed)]).get('2');

describe('leftOutReplicas', () => {
  it('leaves out nothing of what is well', () => {
    expect(leftOutReplicas([replica('2'), replica('3')]).size).toBe(0);
  });

  it('names what is missing, locked or damaged, and of all that stands in the way the first', () => {
    const [token, key] = opens;
    expect(of({ secrets: [token] })).toEqual({ code: 'secret_missing', message: 'its secrets are missing: KEY.' });
    expect(of({ secrets: [] })?.message).toBe('its secrets are missing: KEY, TOKEN.');
    const locked = of({
      secrets: [
        { ...token, state: 'key_missing' },
        { ...key, state: 'damaged' },
      ],
    });
    expect(locked).toEqual({
      code: 'master_key_missing',
      message: 'its secrets are encrypted under a master key that is not here: TOKEN.',
    });
    expect(of({ secrets: [token, { ...key, state: 'damaged' }] })?.code).toBe('secret_damaged');
    expect(of({ ip: '10.200.30.2' })?.code).toBe('address_foreign');
    expect(of({ imageDigest: 'latest' })?.code).toBe('release_unreadable');
    expect(of({ spec: null })?.code).toBe('release_unreadable');
  });

  it('does not ask for what the spec does not name', () => {
    const other = { name: 'OTHER', state: 'damaged' } as const;
    expect(of({ secrets: [...opens, other] })).toBeUndefined();
  });

  it('gives an address to the older of two, and never to one that is left out for another reason', () => {
    const newer = replica('3', { ip: '10.200.3.2', generation: 2, serviceName: 'mail' });
    expect([...leftOutReplicas([newer, replica('2')])]).toEqual([
      ['3', { code: 'address_taken', message: '10.200.3.2 is taken by web.' }],
    ]);
    expect([...leftOutReplicas([newer, replica('2', { spec: null })]).keys()]).toEqual(['2']);
  });

  it('P17: does not depend on the order of replicas, and gives only codes that are documented', () => {
    const all = [replica('2'), replica('3', { ip: '10.200.3.2' }), replica('4', { spec: 7 }), replica('5')];
    const found = JSON.stringify([...leftOutReplicas(all)].sort());
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
        expect(JSON.stringify([...leftOutReplicas(shuffled)].sort())).toBe(found);
      }),
    );
    expect([...leftOutReplicas(all).values()].every(({ code }) => isReasonCode(code))).toBe(true);
  });
});

it('whyUnreadable says where the spec is wrong, and nothing of one that is well', () => {
  expect(whyUnreadable(spec)).toBeNull();
  expect(whyUnreadable({ ...spec, port: 'http' })).toMatch(/^its spec cannot be understood: \/port .*\.$/);
  fc.assert(fc.property(fc.anything(), (anything) => whyUnreadable(anything) !== ''));
});
