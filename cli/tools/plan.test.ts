import { expect, it } from 'vitest';
import type { Sighting, Sightings } from './fit.ts';
import type { HostFacts } from './host.ts';
import type { Pin } from './pins.ts';
import { describeStep, planInstall } from './plan.ts';

const debianRoot: HostFacts = {
  platform: 'linux',
  arch: 'amd64',
  hasApt: true,
  isRoot: true,
  processors: 2,
  memoryBytes: 8 * 1024 ** 3,
};

const goRoute = { packages: { builder: 'example.org/builder' }, linked: {}, coldSeconds: 110 };
const archive = { url: 'https://example.org/builder.tar.gz', sha256: 'a'.repeat(64) };
const release = { archives: { amd64: archive }, members: ['bin/builder'], strip: 0 };

function pin(fields: Partial<Pin>): Pin {
  return {
    name: 'builder',
    purpose: 'builds',
    neededBy: ['up'],
    version: '1.4.2',
    fits: { from: '1.4.0', before: '2.0.0' },
    programs: [{ name: 'builder', ask: ['--version'] }],
    ...fields,
  };
}

const packaged = (name: string): Pin =>
  pin({
    name,
    version: null,
    programs: [{ name, ask: ['--version'] }],
    debian: { packages: [`${name}-package`], services: [`${name}.service`] },
  });

const onPath = (version: Sighting['version']): Sighting => ({ path: '/usr/bin/builder', source: 'path', version });
const seen = (...sightings: Sighting[]): Sightings => new Map([['builder', sightings]]);
const nothing: Sightings = new Map();

it('does nothing when the version on PATH fits', () => {
  expect(planInstall([pin({ release })], seen(onPath([1, 9, 0])), debianRoot)).toEqual({ steps: [], obstacles: [] });
});

it('does nothing when PATH has another version and the cache the right one', () => {
  const cached: Sighting = { path: '/cache/builder', source: 'cache', version: [1, 4, 2] };
  expect(planInstall([pin({ release })], seen(onPath([2, 0, 0]), cached), debianRoot).steps).toEqual([]);
});

it.each([
  ['too old', onPath([1, 3, 9])],
  ['too new', onPath([2, 0, 0])],
  ['mute', onPath(null)],
])('installs its own when the one on PATH is %s', (_what, sighting) => {
  const plan = planInstall([pin({ release, go: goRoute })], seen(sighting), debianRoot);
  expect(plan.steps).toMatchObject([{ kind: 'download', release: archive, otherwise: goRoute }]);
});

it('wants a static program where a dynamic one cannot run', () => {
  const box = pin({
    name: 'busybox',
    programs: [{ name: 'builder', ask: ['--help'], linking: 'static' }],
    debian: { packages: ['busybox-static'], services: [] },
  });
  const dynamic: Sighting = { ...onPath([1, 5, 0]), linking: 'dynamic' };
  expect(planInstall([box], seen(dynamic), debianRoot).steps).toMatchObject([{ packages: ['busybox-static'] }]);
  expect(planInstall([box], seen({ ...dynamic, linking: 'static' }), debianRoot).steps).toEqual([]);
});

it('builds with Go where no archive is pinned for the processor', () => {
  const plan = planInstall([pin({ release, go: goRoute })], nothing, { ...debianRoot, arch: 'arm64' });
  expect(plan.steps.map(describeStep)).toEqual(['builder 1.4.2, built with Go (about 2 min on 2 cores)']);
});

it('puts all Debian packages into one step, before the rest, in the order of the pins', () => {
  const plan = planInstall([pin({ release }), packaged('podman'), packaged('redis')], nothing, debianRoot);
  expect(plan.steps.map((step) => step.kind)).toEqual(['packages', 'download']);
  expect(plan.steps[0]).toMatchObject({
    packages: ['podman-package', 'redis-package'],
    services: ['podman.service', 'redis.service'],
  });
});

it('names the exact command when packages are missing and it is not root', () => {
  const plan = planInstall([packaged('podman'), packaged('redis')], nothing, { ...debianRoot, isRoot: false });
  expect(plan.obstacles).toHaveLength(1);
  expect(plan.obstacles[0]).toContain(
    "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends podman-package redis-package'",
  );
});

it('names the tools and their versions on a system without apt', () => {
  const { obstacles } = planInstall([packaged('podman')], nothing, { ...debianRoot, hasApt: false });
  expect(obstacles).toEqual([expect.stringMatching(/neither Debian nor Ubuntu.*podman ≥ 1\.4\.0/)]);
});

it('says what it found when nothing is pinned for the machine', () => {
  const { obstacles } = planInstall([pin({ release })], seen(onPath([1, 0, 0])), { ...debianRoot, arch: null });
  expect(obstacles).toEqual([expect.stringContaining('/usr/bin/builder is 1.0.0')]);
});

it('asks for Linux on anything else', () => {
  const { steps, obstacles } = planInstall([pin({ release })], nothing, { ...debianRoot, platform: 'darwin' });
  expect(steps).toEqual([]);
  expect(obstacles).toEqual([expect.stringContaining('Linux')]);
});
