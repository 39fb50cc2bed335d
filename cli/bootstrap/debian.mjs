/**
 * What comes from Debian's packages, and how. Has no dependencies: the bootstrap says with it what is missing before anything is
 * installed, and the pins (cli/tools/pins.ts) take their packages from here.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** By the names of the pins. Services that the packages would start by themselves are kept down. */
export const debianTools = {
  podman: { neededBy: ['up', 'test', 'node'], packages: ['podman'], services: [] },
  runc: { neededBy: ['up', 'test', 'node'], packages: ['runc'], services: [] },
  conmon: { neededBy: ['up', 'test', 'node'], packages: ['conmon'], services: [] },
  netavark: { neededBy: ['up', 'test', 'node'], packages: ['netavark', 'aardvark-dns'], services: [] },
  iptables: { neededBy: ['up', 'test', 'node'], packages: ['iptables'], services: [] },
  nftables: { neededBy: ['test', 'node'], packages: ['nftables'], services: [] },
  iproute2: { neededBy: ['up', 'test', 'node'], packages: ['iproute2'], services: [] },
  tini: { neededBy: ['up', 'test', 'node'], packages: ['tini'], services: [] },
  'wireguard-tools': { neededBy: ['node'], packages: ['wireguard-tools'], services: [] },
  git: { neededBy: ['up', 'test', 'node'], packages: ['git'], services: [] },
  registry: { neededBy: ['up', 'test'], packages: ['docker-registry'], services: ['docker-registry.service'] },
  redis: { neededBy: ['test'], packages: ['redis-server'], services: ['redis-server.service'] },
  systemd: { neededBy: ['test'], packages: ['systemd'], services: [] },
  chromium: { neededBy: ['test'], packages: ['chromium'], services: [] },
  busybox: { neededBy: ['up', 'test'], packages: ['busybox-static'], services: [] },
};

/** @param {string} osRelease The text of os-release(5). Debian, Ubuntu, or a system that names one of them as its kin. */
export function isDebianLike(osRelease) {
  const kin = [...osRelease.matchAll(/^(?:ID|ID_LIKE)=(.*)$/gm)].flatMap(([, value = '']) =>
    value.replaceAll(/["']/g, '').split(/\s+/),
  );
  return kin.includes('debian') || kin.includes('ubuntu');
}

/** Whether this machine has apt. */
export function hasApt() {
  try {
    return isDebianLike(readFileSync('/etc/os-release', 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

/** The packages that dpkg does not have of those that `up` needs; none where there is no dpkg. */
export function missingPackages() {
  if (!hasApt()) return [];
  const wanted = Object.values(debianTools).flatMap(({ neededBy, packages }) =>
    neededBy.includes('up') ? packages : [],
  );
  const format = '--showformat=${db:Status-Status} ${binary:Package}\n';
  // It ends with 1 when it does not know one of them, and says the others all the same.
  const { stdout } = spawnSync('dpkg-query', ['--show', format, '--', ...wanted], { encoding: 'utf8' });
  const lines = (stdout ?? '').split('\n').map((line) => line.replace(/:.*$/, ''));
  return wanted.filter((name) => !lines.includes(`installed ${name}`));
}

/** The command that a person types, who is not root, to get these packages. @param {readonly string[]} packages */
export function aptCommand(packages) {
  return `sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}'`;
}
