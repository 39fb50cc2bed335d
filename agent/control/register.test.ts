import { describe, expect, it } from 'vitest';
import type { RegisterRequest } from '../../core/contract/register.ts';
import { apiErrors, type ApiErrorCode } from '../../platform/errors/api-codes.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { generateKeyPair } from '../../platform/crypto/keys.ts';
import type { Identity } from '../keys/identity.ts';
import { ControlRefused, ControlUnreachable } from './errors.ts';
import { register, type RegisterOptions } from './register.ts';

const node = {
  ...({ nodeId: 'n1', name: 'one', kind: 'worker', subnet: 1 } as const),
  ...{ containerCidr: '10.200.1.0/24', wireguardAddress: '10.100.1.1' },
};
const fresh = (): Identity => ({
  version: 1,
  keys: {
    signing: generateKeyPair('Ed25519'),
    sealing: generateKeyPair('X25519'),
    wireguard: generateKeyPair('X25519'),
  },
  registration: null,
});
const refusal = (code: ApiErrorCode) => new ControlRefused(apiErrors[code].status, code, apiErrors[code].message);

/** A control plane that answers with these errors first, then with a node. */
function setUp(errors: Error[] = [], change: Partial<RegisterOptions> = {}) {
  const requests: RegisterRequest[] = [];
  const saved: Identity[] = [];
  const options: RegisterOptions = {
    url: 'https://landfall.example.com',
    token: 'lfn_0123456789abcdefghij',
    kind: 'worker',
    agentVersion: '1',
    file: { save: (identity) => Promise.resolve(void saved.push(identity)) },
    control: {
      register: (request) => {
        requests.push(request);
        const error = errors.shift();
        return error === undefined ? Promise.resolve(node) : Promise.reject(error);
      },
    },
    clock: { now: () => new Date(), after: (_milliseconds, run) => (queueMicrotask(run), () => undefined) },
    random: () => 0,
    log: () => undefined,
    ...change,
  };
  return { options, requests, saved };
}

describe('registration', () => {
  it('sends the public keys alone, and saves the answer', async () => {
    const identity = fresh();
    const { options, requests, saved } = setUp();
    expect(await register(identity, options)).toEqual({ url: options.url, node });
    expect(saved).toEqual([{ ...identity, registration: { url: options.url, node } }]);
    for (const { privateKey } of Object.values(identity.keys))
      expect(JSON.stringify(requests)).not.toContain(privateKey);
    expect(requests[0]?.wireguardKey).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  });

  it('P13: is repeated with the same keys and token after an answer was lost', async () => {
    const { options, requests, saved } = setUp([new ControlUnreachable('https://x', new Error('reset'))]);
    await register(fresh(), options);
    expect(requests[1]).toEqual(requests[0]);
    expect(saved).toHaveLength(1);
  });

  it('P13: is repeated by the next start when the answer could not be saved', async () => {
    const identity = fresh();
    const full = setUp([], { file: { save: () => Promise.reject(new Error('disk full')) } });
    await expect(register(identity, full.options)).rejects.toThrow('disk full');
    const again = setUp();
    await register(identity, again.options);
    expect(again.requests).toEqual(full.requests);
  });

  it('leaves a token aside when the node is registered', async () => {
    const registration = { url: 'https://landfall.example.com', node };
    const { options, requests } = setUp();
    expect(await register({ ...fresh(), registration }, options)).toBe(registration);
    expect(requests).toEqual([]);
  });

  it('says where a token comes from when there is none', async () => {
    const { options } = setUp([], { token: null });
    const error = await register(fresh(), options).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(StalledError);
    expect(error).toMatchObject({
      code: 'token_missing',
      hint: expect.stringContaining('landfall node add NAME') as unknown,
    });
  });

  it.each(['token_unknown', 'token_expired', 'token_used', 'kind_mismatch', 'key_taken'] as const)(
    'ends with what to do after %s, without trying again',
    async (code) => {
      const { options, requests, saved } = setUp([refusal(code)]);
      const error = await register(fresh(), options).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(StalledError);
      expect(error).toMatchObject({ code, message: `The node was not registered: ${apiErrors[code].message}` });
      expect((error as StalledError).hint).toMatch(/\w/);
      expect([requests.length, saved.length]).toEqual([1, 0]);
    },
  );

  it('waits for a control plane that is not there yet', async () => {
    const { options, requests } = setUp([refusal('unavailable')]);
    await register(fresh(), options);
    expect(requests).toHaveLength(2);
  });
});
