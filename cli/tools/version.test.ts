import { expect, it } from 'vitest';
import { describeRange, fits, parseVersion } from './version.ts';

it.each([
  ['podman version 4.3.1', [4, 3, 1]],
  ['buildkitd github.com/moby/buildkit v0.32.2 ', [0, 32, 2]],
  ['ip utility, iproute2-6.1.0, libbpf 1.1.2', [6, 1, 0]],
  ['go version go1.26 linux/amd64', [1, 26, 0]],
  ['Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64', [7, 0, 15]],
  ['docker-registry github.com/docker/distribution 2.8.2+ds1', [2, 8, 2]],
  ['Chromium 156.0.8078.79 built on Debian GNU/Linux 12 (bookworm)', [156, 0, 8078]],
  ['wireguard-tools v1.0.20210914 - https://git.zx2c4.com/wireguard-tools/', [1, 0, 20210914]],
  ['BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary.', [1, 35, 0]],
  ['Version:      3.6.23\nCodename:     cheddar', [3, 6, 23]],
])('reads the version out of %j', (text, version) => {
  expect(parseVersion(text)).toEqual(version);
});

it('finds no version where there is none', () => {
  expect(parseVersion('railpack version dev')).toBeNull();
  expect(parseVersion('')).toBeNull();
});

it('compares numbers, not text, and leaves the upper end out', () => {
  const range = { from: '4.9.0', before: '5.0.0' };
  expect(fits([4, 10, 0], range)).toBe(true);
  expect(fits([4, 9, 0], range)).toBe(true);
  expect(fits([4, 8, 99], range)).toBe(false);
  expect(fits([5, 0, 0], range)).toBe(false);
  expect(fits([99, 0, 0], { from: '4.9.0' })).toBe(true);
});

it('describes a range as it is written in docs', () => {
  expect(describeRange({ from: '0.32.2', before: '0.33.0' })).toBe('≥ 0.32.2, < 0.33.0');
  expect(describeRange({ from: '4.3.0' })).toBe('≥ 4.3.0');
});
