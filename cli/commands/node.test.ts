import { describe, expect, it } from 'vitest';
import type { NodeRegistration, NodeResource } from '../../core/contract/resources/nodes.ts';
import { installLine, renderNodes, renderRegistration, unreachable } from './node.ts';

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

describe('the list of nodes', () => {
  const now = new Date('2030-01-01T00:01:00.000Z');
  const node: NodeResource = {
    ...({ id: 'n', name: 'web-1', kind: 'worker', state: 'ready', subnet: 1, mesh: null } as const),
    ...{ containerCidr: '10.200.1.0/24', wireguardAddress: '10.100.1.1', publicAddress: null, capabilities: [] },
    ...{ resources: null, agentVersion: '0.1.0', generation: 1, appliedGeneration: 1, allocations: 1 },
    ...{ leftOut: [], failures: [], lastSeenAt: now.toISOString(), createdAt: now.toISOString() },
  };

  it('says nothing below the table of nodes that do all they are asked', () => {
    expect(renderNodes([node], now).split('\n')).toHaveLength(2);
  });

  it('says what a node is not told of, and what it cannot do and when it tries again', () => {
    const leftOut = {
      ...{ allocationId: 'a', serviceId: 's', serviceName: 'web', replica: 1, nodeId: 'n', nodeName: 'web-1' },
      ...{ code: 'secret_missing', message: 'its secrets are missing: TOKEN.', todo: 'Set it.' },
    };
    const failure = { kind: 'stop_orphan', subject: 'a1', message: 'It took longer than 4 minutes.' };
    const failures = [
      { ...failure, at: '2030-01-01T00:00:30.000Z', retryAt: '2030-01-01T00:01:12.000Z' },
      { ...failure, kind: 'update_peers', at: '2030-01-01T00:00:00.000Z', retryAt: '2030-01-01T00:00:59.000Z' },
      { ...failure, kind: 'update_dns', at: '2030-01-01T00:00:00.000Z', retryAt: null },
    ];
    expect(
      renderNodes([{ ...node, leftOut: [leftOut], failures }], now)
        .split('\n')
        .slice(2),
    ).toEqual([
      '',
      'web-1 is not told of web, replica 1: its secrets are missing: TOKEN. Set it.',
      'web-1 cannot stop a container that nothing expects (allocation a1): It took longer than 4 minutes. (30s ago; next try in 12s)',
      'web-1 cannot update the private network: It took longer than 4 minutes. (60s ago; it is tried again now)',
      'web-1 cannot update the names: It took longer than 4 minutes. (60s ago)',
    ]);
  });
});
