import { describe, expect, it } from 'vitest';
import type { NodeRegistration } from '../../core/contract/resources.ts';
import { installLine, renderRegistration, unreachable } from './node.ts';

const registration: NodeRegistration = {
  ...({ name: 'web-1', kind: 'worker', token: 'lfr_1', expiresAt: '2030-01-01T00:00:00.000Z' } as const),
  url: 'https://landfall.example.com',
};

describe('the line that adds a node', () => {
  it('names the address under which servers reach the control plane', () => {
    expect(installLine({ ...registration, kind: 'proxy' })).toBe(
      'curl -fsSL https://landfall.example.com/install.sh | sh -s -- --token lfr_1 --proxy',
    );
    expect(renderRegistration(registration)).not.toContain('Warning');
  });

  it('says what the server has to have', () => {
    expect(renderRegistration(registration)).toMatch(/Debian 12, Ubuntu 24\.04 .*curl.*amd64 or arm64/);
  });

  it.each(['http://127.0.0.1:7780', 'http://localhost:7780', 'http://[::1]:7780', 'http://127.1.2.3'])(
    'warns that another server cannot reach %s',
    (url) => {
      expect(renderRegistration({ ...registration, url })).toMatch(
        /\nWarning: http:.* leads to the machine itself.*LANDFALL_URL/,
      );
    },
  );

  it.each(['http://10.0.0.5:7780', 'https://127.example.com', 'http://localhost.example.com'])(
    'takes %s for an address of others',
    (url) => {
      expect(unreachable({ ...registration, url })).toBeNull();
    },
  );
});
