import { describe, expect, it } from 'vitest';
import type { InputError } from '../platform/errors/errors.ts';
import { parseFlags, usage } from './flags.ts';

const url = ['--url', 'https://landfall.example.com/'];

describe('flags', () => {
  it('have defaults for everything but the control plane', () => {
    expect(parseFlags(url)).toEqual({
      ...{ kind: 'run', url: 'https://landfall.example.com', token: null, node: 'worker' },
      ...{ dataDir: '/var/lib/landfall', bridge: 'landfall0' },
      engine: { kind: 'supervised', lifetime: 'outlives_agent' },
      builder: { kind: 'supervised', program: 'buildkitd' },
      mesh: { device: 'landfall-wg', userspace: 'wireguard-go', listenPort: 51_820, endpoint: null },
      proxy: { program: 'traefik', http: ':80', https: ':443', internal: '127.0.0.1:7799' },
    });
  });

  it('choose kind, engine and builder', () => {
    const flags = parseFlags([...url, '--proxy', '--podman-socket', '/run/podman.sock', '--no-build', '--token', 't']);
    expect(flags).toMatchObject({ node: 'proxy', token: 't', builder: { kind: 'none' } });
    expect(flags).toMatchObject({ engine: { kind: 'socket', path: '/run/podman.sock' } });
    expect(parseFlags([...url, '--ephemeral', '--buildkit-address', 'unix:///b'])).toMatchObject({
      engine: { kind: 'supervised', lifetime: 'ends_with_agent' },
      builder: { kind: 'address', address: 'unix:///b' },
    });
  });

  it.each([
    [[], 'url_missing'],
    [['--url', 'landfall.example.com'], 'url_invalid'],
    [['--url', 'ftp://x'], 'url_invalid'],
    [[...url, '--colour'], 'flags_invalid'],
    [[...url, 'more'], 'flags_invalid'],
    [[...url, '--ephemeral', '--podman-socket', '/s'], 'flags_invalid'],
    [[...url, '--bridge', 'a-name-that-is-too-long'], 'flags_invalid'],
    [[...url, '--wireguard', 'UPPER'], 'flags_invalid'],
    [[...url, '--wireguard-port', '0'], 'flags_invalid'],
    [[...url, '--wireguard-port', '65536'], 'flags_invalid'],
    [[...url, '--endpoint', '203.0.113.7'], 'flags_invalid'],
    [[...url, '--endpoint', ':51820'], 'flags_invalid'],
    [[...url, '--http', '80'], 'flags_invalid'],
    [[...url, '--https', '[::1]:70000'], 'flags_invalid'],
  ])('that are wrong say so: %j', (argv, code) => {
    expect(() => parseFlags(argv)).toThrow(expect.objectContaining({ name: 'InputError', code }) as InputError);
  });

  it('are all explained', () => {
    expect(parseFlags(['--help'])).toEqual({ kind: 'help' });
    for (const flag of [
      'url',
      'token',
      'proxy',
      'data',
      'podman-socket',
      'buildkit-address',
      'buildkitd',
      'no-build',
      'bridge',
      'ephemeral',
      'register',
      'unit',
    ]) {
      expect(usage).toContain(`--${flag}`);
    }
  });
});
