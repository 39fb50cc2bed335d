import { describe, expect, it } from 'vitest';
import type { RegisterRequest } from '../../core/contract/register.ts';
import { apiErrors, type ApiErrorCode } from '../../platform/errors/api-codes.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { generateKeyPair } from '../../platform/crypto/keys.ts';
import type { Identity } from '../keys/identity.ts';
import { ControlRefused, ControlUnreachable } from './errors.ts';
import { confirm, register, type RegisterOptions } from './register.ts';

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
  const steps: string[] = [];
  const options: RegisterOptions = {
    url: 'https://landfall.example.com',
    token: 'lfr_0123456789abcdefghij',
    kind: 'worker',
    agentVersion: '1',
    file: { save: (identity) => Promise.resolve(void (saved.push(identity), steps.push('saved'))) },
    forget: () => Promise.resolve(void steps.push('forgot')),
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
  return { options, requests, saved, steps };
}

describe('registration', () => {
  it('sends the public keys alone, and saves the answer', async () => {
    const identity = fresh();
    const { options, requests, saved } = setUp();
    const registration = { url: options.url, node, tokenHash: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown };
    expect(await register(identity, options)).toEqual(registration);
    expect(saved).toEqual([{ ...identity, registration }]);
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

  const url = 'https://landfall.example.com';

  it('is done once with a token, which may be given at every start though nobody answers', async () => {
    const first = setUp();
    await register(fresh(), first.options);
    const again = setUp([new ControlUnreachable('https://x', new Error('away'))]);
    expect(await register(first.saved[0] ?? fresh(), again.options)).toMatchObject({ url, node });
    expect(again.requests).toEqual([]);
    expect((await register(first.saved[0] ?? fresh(), { ...again.options, token: null })).node).toBe(node);
  });

  it('is done again with a new token, and what was expected of the old node is forgotten before', async () => {
    const identity = { ...fresh(), registration: { url, node: { ...node, nodeId: 'n0', subnet: 7 } } };
    const { options, requests, saved, steps } = setUp();
    expect((await register(identity, options)).node).toBe(node);
    expect(requests[0]).toMatchObject({ token: options.token, signingKey: identity.keys.signing.publicKey });
    expect([saved[0]?.registration?.node, steps]).toEqual([node, ['forgot', 'saved']]);
  });

  it('leaves a new token aside when the node was not removed, says so, and does not ask again', async () => {
    const identity = { ...fresh(), registration: { url, node } };
    const lines: string[] = [];
    const { options, saved, steps } = setUp([refusal('key_taken')], { log: (line) => lines.push(line) });
    expect((await register(identity, options)).node).toBe(node);
    expect(steps).toEqual(['saved']);
    expect(lines.join()).toMatch(/registered as one still.*landfall node remove one/);
    const again = setUp();
    await register(saved[0] ?? fresh(), again.options);
    expect(again.requests).toEqual([]);
  });

  it('says what is wrong with a new token of a node that was removed', async () => {
    const identity = { ...fresh(), registration: { url, node } };
    const { options, saved, steps } = setUp([refusal('token_expired')]);
    await expect(register(identity, options)).rejects.toMatchObject({ code: 'token_expired' });
    expect([saved, steps]).toEqual([[], []]);
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
      expect(error).toMatchObject({ code, message: `The node is not registered: ${apiErrors[code].message}` });
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

describe('a node that is registered', () => {
  const confirmed = async (error: Error): Promise<string[]> => {
    const lines: string[] = [];
    await confirm(node, { control: { expectedState: () => Promise.reject(error) }, log: (line) => lines.push(line) });
    return lines;
  };

  it.each<ApiErrorCode>(['node_removed', 'signature_unknown_key'])('is none at the control plane: %s', async (code) => {
    await expect(confirmed(refusal(code))).rejects.toMatchObject({
      code,
      message: `The node is not registered: ${apiErrors[code].message}`,
      hint: expect.stringContaining('landfall node add') as unknown,
    });
  });

  it('stays one while the control plane is away, and says what is not known', async () => {
    const [line] = await confirmed(new ControlUnreachable('https://x', new Error('reset')));
    expect(line).toContain('Whether one is still registered there is not known');
  });
});
