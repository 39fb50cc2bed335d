import { describe, expect, it } from 'vitest';
import { missingSentence, newPins, resolveSecrets, stillNeededBy, type SecretVersion } from './versions.ts';

const version = (id: string, name: string, service = ''): SecretVersion => ({ id, service, name, version: 1 });
const web = (...secrets: string[]) => ({ service: 'web', secrets });

describe('resolveSecrets', () => {
  it('takes what is set for the service before what is set for the environment, whatever the order', () => {
    const inForce = [version('1', 'TOKEN'), version('2', 'TOKEN', 'web'), version('3', 'TOKEN', 'worker')];
    for (const given of [inForce, inForce.toReversed()])
      expect(resolveSecrets(web('TOKEN'), given)).toEqual({ pins: [{ name: 'TOKEN', secretId: '2' }], missing: [] });
    expect(resolveSecrets({ service: 'api', secrets: ['TOKEN'] }, inForce).pins).toEqual([
      { name: 'TOKEN', secretId: '1' },
    ]);
  });

  it('names what nobody has set, and gives nothing that was not asked for', () => {
    const inForce = [version('1', 'TOKEN'), version('2', 'OTHER'), version('3', 'ONLY_WORKER', 'worker')];
    expect(resolveSecrets(web('TOKEN', 'B', 'ONLY_WORKER', 'A'), inForce)).toEqual({
      pins: [{ name: 'TOKEN', secretId: '1' }],
      missing: ['A', 'B', 'ONLY_WORKER'],
    });
  });

  it('P68: takes exact names only', () => {
    const inForce = [version('1', 'TOKEN_2'), version('2', 'TOKEN', 'web-2'), version('3', 'token')];
    expect(resolveSecrets(web('TOKEN'), inForce).missing).toEqual(['TOKEN']);
  });
});

describe('newPins', () => {
  const pinned = (secrets: string[], ids: string[]) => ({
    ...web(...secrets),
    pins: ids.map((secretId, index) => ({ name: secrets[index] ?? '', secretId })),
  });

  it('says nothing when the release has what is in force, and of secrets that it does not name', () => {
    expect(newPins(pinned(['TOKEN'], ['1']), [version('1', 'TOKEN'), version('9', 'OTHER')])).toBeNull();
    expect(newPins(pinned([], []), [version('9', 'OTHER')])).toBeNull();
  });

  it('gives every name what is in force now', () => {
    expect(newPins(pinned(['A', 'B'], ['1', '2']), [version('1', 'A'), version('3', 'B')])).toEqual([
      { name: 'A', secretId: '1' },
      { name: 'B', secretId: '3' },
    ]);
  });

  it('keeps the value of a name that was removed', () => {
    expect(newPins(pinned(['A', 'B'], ['1', '2']), [version('3', 'B')])).toEqual([
      { name: 'A', secretId: '1' },
      { name: 'B', secretId: '3' },
    ]);
    expect(newPins(pinned(['A'], ['1']), [])).toBeNull();
  });
});

describe('missingSentence', () => {
  const production = { environment: 'production', repository: 'acme/shop' };

  it('says who needs what, where it lacks and how to set it', () => {
    expect(missingSentence([web('TOKEN')], [], production)).toBe(
      'web needs the secret TOKEN, which production does not have. Set it with: landfall secret set TOKEN --environment production --repository acme/shop',
    );
  });

  it('names everything that lacks, once', () => {
    const services = [web('B', 'A', 'C'), { service: 'api', secrets: ['A', 'OK'] }];
    expect(missingSentence(services, [version('1', 'OK')], { ...production, environment: 'staging' })).toBe(
      'api needs the secret A and web needs the secrets A, B and C, which staging does not have. Set each with: landfall secret set NAME --environment staging --repository acme/shop',
    );
  });

  it('is silent when nothing lacks', () => {
    expect(missingSentence([web('TOKEN'), web()], [version('1', 'TOKEN')], production)).toBeNull();
  });
});

describe('stillNeededBy', () => {
  const secret = { service: '', name: 'TOKEN' };
  const inForce = [version('1', 'TOKEN')];

  it('names the services that run with it and are still to', () => {
    const services = [web('TOKEN'), { service: 'api', secrets: ['TOKEN'] }, { service: 'other', secrets: ['OTHER'] }];
    expect(stillNeededBy({ secret, running: services, configured: services, inForce })).toEqual(['api', 'web']);
  });

  it('names none whose configuration has given it up, or that does not run', () => {
    expect(stillNeededBy({ secret, running: [web('TOKEN')], configured: [web()], inForce })).toEqual([]);
    expect(stillNeededBy({ secret, running: [web('TOKEN')], configured: [], inForce })).toEqual([]);
    expect(stillNeededBy({ secret, running: [], configured: [web('TOKEN')], inForce })).toEqual([]);
  });

  it('names none that another value is there for', () => {
    const own = { service: 'web', name: 'TOKEN' };
    const both = [...inForce, version('2', 'TOKEN', 'web')];
    const services = [web('TOKEN')];
    expect(stillNeededBy({ secret: own, running: services, configured: services, inForce: both })).toEqual([]);
    expect(stillNeededBy({ secret, running: services, configured: services, inForce: both })).toEqual([]);
    expect(stillNeededBy({ secret: own, running: services, configured: services, inForce: both.slice(1) })).toEqual([
      'web',
    ]);
  });
});
