import { expect, it } from 'vitest';
import { buildArguments } from './golang.ts';

it('builds exactly the modules of go.sum, reproducibly, and links the version in', () => {
  const route = {
    packages: { traefik: 'example.org/traefik/cmd/traefik' },
    linked: { 'example.org/traefik/version.Version': '3.6.23' },
    coldSeconds: 300,
  };
  expect(buildArguments(route, 'traefik', 'example.org/traefik/cmd/traefik', '/stage/bin')).toEqual([
    'build',
    '-mod=readonly',
    '-trimpath',
    '-buildvcs=false',
    '-ldflags=-s -w -X example.org/traefik/version.Version=3.6.23',
    '-o',
    '/stage/bin/traefik',
    'example.org/traefik/cmd/traefik',
  ]);
});
