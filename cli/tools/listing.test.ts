import { expect, it } from 'vitest';
import type { Sightings } from './fit.ts';
import { renderTools, toolRows } from './listing.ts';
import type { Pin } from './pins.ts';

const pin: Pin = {
  name: 'buildkit',
  purpose: 'builds images',
  neededBy: ['up', 'test'],
  version: '0.32.2',
  fits: { from: '0.32.2', before: '0.33.0' },
  programs: [
    { name: 'buildkitd', ask: ['--version'] },
    { name: 'buildctl', ask: ['--version'] },
    { name: 'buildx', ask: ['--version'] },
  ],
};

const sightings: Sightings = new Map([
  ['buildkitd', [{ path: '/cache/buildkitd', source: 'cache', version: [0, 32, 2] as const }]],
  ['buildctl', [{ path: '/usr/bin/buildctl', source: 'path', version: [0, 11, 0] as const }]],
]);

it('tells found, unfit and absent programs apart', () => {
  expect(toolRows([pin], sightings)).toMatchObject([
    { program: 'buildkitd', state: 'found', version: '0.32.2', source: 'cache', path: '/cache/buildkitd' },
    { program: 'buildctl', state: 'unfit', version: '0.11.0', source: 'path', path: '/usr/bin/buildctl' },
    { program: 'buildx', tool: 'buildkit', state: 'absent', version: null, source: null, path: null },
  ]);
});

it('renders one aligned line each, and the command for what is absent', () => {
  expect(renderTools(toolRows([pin], sightings)).split('\n')).toEqual([
    'PROGRAM    WANTED              FOUND           SOURCE  NEEDED BY  PATH',
    'buildkitd  ≥ 0.32.2, < 0.33.0  0.32.2          cache   up test    /cache/buildkitd',
    'buildctl   ≥ 0.32.2, < 0.33.0  0.11.0 (unfit)  path    up test    /usr/bin/buildctl',
    'buildx     ≥ 0.32.2, < 0.33.0  missing                 up test    install with: landfall tools install buildkit',
  ]);
});
