/**
 * The one list of external programs: what fits, how to ask, and where each comes from when it is missing.
 * Release checksums are those the projects publish beside their release; a route whose checksum is not known is left out.
 * A Go route is built from `cli/tools/go/<name>/go.mod`, whose go.sum holds the checksums of every module.
 * To raise a version: change it here, run `go get -tool PACKAGE@VERSION` in that folder, and `landfall tools install NAME`.
 */
import { debianTools } from '../bootstrap/debian.mjs';
import type { VersionRange } from './version.ts';

export type Arch = 'amd64' | 'arm64';
/** `up`: the one-command start. `test`: the whole suite. `node`: a server that runs the agent. */
export type Need = 'up' | 'test' | 'node';

export interface Program {
  name: string;
  /** Arguments that make it print its version. */
  ask: readonly string[];
  /** Goes into images without a C library, so it must need none. */
  linking?: 'static';
}

export interface Release {
  url: string;
  sha256: string;
}

/** A gzipped tar archive; `members` are unpacked below the tool's folder, less the first `strip` directories. */
export interface ReleaseRoute {
  archives: Partial<Record<Arch, Release>>;
  members: readonly string[];
  strip: number;
}

export interface GoRoute {
  /** Program name → package that builds it. */
  packages: Readonly<Record<string, string>>;
  /** Variables set by the linker, so that the program knows its own version. */
  linked: Readonly<Record<string, string>>;
  /** Measured on 2 cores with empty caches, in seconds: what the progress line promises. */
  coldSeconds: number;
}

export interface DebianRoute {
  packages: readonly string[];
  /** Services the packages would start by themselves: kept down, Landfall starts its own. */
  services: readonly string[];
}

export interface Pin {
  name: string;
  purpose: string;
  neededBy: readonly Need[];
  fits: VersionRange;
  programs: readonly [Program, ...Program[]];
  /** Pinned exactly when it is downloaded or built; null when the distribution decides within `fits`. */
  version: string | null;
  release?: ReleaseRoute;
  go?: GoRoute;
  debian?: DebianRoute;
}

/** Of a tool whose version the distribution decides. */
function fromDebian(name: string): Pick<Pin, 'neededBy' | 'version'> & { debian: DebianRoute } {
  const tool = debianTools[name];
  if (tool === undefined) throw new Error(`${name} is not among Debian's packages`);
  const { neededBy, packages, services } = tool;
  return { neededBy, version: null, debian: { packages, services } };
}

export const pins = [
  {
    name: 'buildkit',
    purpose: 'builds images',
    neededBy: ['up', 'test', 'node'],
    version: '0.32.2',
    fits: { from: '0.32.2', before: '0.33.0' },
    programs: [
      { name: 'buildkitd', ask: ['--version'] },
      { name: 'buildctl', ask: ['--version'] },
    ],
    release: {
      archives: {
        amd64: {
          url: 'https://github.com/moby/buildkit/releases/download/v0.32.2/buildkit-v0.32.2.linux-amd64.tar.gz',
          sha256: '2975d0f651ad96ba8b80b9992ae1f9a964f4408569af5b6dc36544165c3926af',
        },
        arm64: {
          url: 'https://github.com/moby/buildkit/releases/download/v0.32.2/buildkit-v0.32.2.linux-arm64.tar.gz',
          sha256: '9e8f46bf309ec0ab262967be5538a4dbe06be756a82621f98253933bac5dcf92',
        },
      },
      members: ['bin/buildkitd', 'bin/buildctl'],
      strip: 0,
    },
    go: {
      packages: {
        buildkitd: 'github.com/moby/buildkit/cmd/buildkitd',
        buildctl: 'github.com/moby/buildkit/cmd/buildctl',
      },
      linked: { 'github.com/moby/buildkit/version.Version': 'v0.32.2' },
      coldSeconds: 110,
    },
  },
  {
    name: 'traefik',
    purpose: 'routes requests to containers on proxy nodes',
    neededBy: ['node'],
    version: '3.6.23',
    fits: { from: '3.6.23', before: '3.7.0' },
    programs: [{ name: 'traefik', ask: ['version'] }],
    go: {
      packages: { traefik: 'github.com/traefik/traefik/v3/cmd/traefik' },
      linked: { 'github.com/traefik/traefik/v3/pkg/version.Version': '3.6.23' },
      coldSeconds: 345,
    },
  },
  {
    name: 'railpack',
    purpose: 'plans builds of repositories without a Dockerfile',
    neededBy: ['node'],
    version: '0.23.0',
    fits: { from: '0.23.0', before: '0.24.0' },
    programs: [{ name: 'railpack', ask: ['--version'] }],
    go: {
      packages: { railpack: 'github.com/railwayapp/railpack/cmd/cli' },
      linked: { 'main.version': '0.23.0' },
      coldSeconds: 25,
    },
  },
  {
    name: 'wireguard-go',
    purpose: 'joins nodes where the kernel has no WireGuard',
    neededBy: ['node'],
    version: '0.0.20260522',
    fits: { from: '0.0.20230223' },
    programs: [{ name: 'wireguard-go', ask: ['--version'] }],
    go: { packages: { 'wireguard-go': 'golang.zx2c4.com/wireguard' }, linked: {}, coldSeconds: 10 },
  },
  {
    name: 'podman',
    purpose: 'runs containers',
    fits: { from: '4.3.0' },
    programs: [{ name: 'podman', ask: ['--version'] }],
    ...fromDebian('podman'),
  },
  {
    name: 'runc',
    purpose: 'starts a container’s process, for Podman and BuildKit',
    fits: { from: '1.1.0' },
    programs: [{ name: 'runc', ask: ['--version'] }],
    ...fromDebian('runc'),
  },
  {
    name: 'conmon',
    purpose: 'watches over a container’s process, for Podman',
    fits: { from: '2.1.0' },
    programs: [{ name: 'conmon', ask: ['--version'] }],
    ...fromDebian('conmon'),
  },
  {
    name: 'netavark',
    purpose: 'connects containers to their network, for Podman',
    fits: { from: '1.4.0' },
    programs: [{ name: 'netavark', ask: ['--version'] }],
    ...fromDebian('netavark'),
  },
  {
    name: 'iptables',
    purpose: 'holds netavark’s firewall rules',
    fits: { from: '1.8.0' },
    programs: [{ name: 'iptables', ask: ['--version'] }],
    ...fromDebian('iptables'),
  },
  {
    name: 'nftables',
    purpose: 'keeps source addresses between containers; cuts networks in tests',
    fits: { from: '0.9.8' },
    programs: [{ name: 'nft', ask: ['--version'] }],
    ...fromDebian('nftables'),
  },
  {
    name: 'iproute2',
    purpose: 'makes and removes network interfaces and namespaces',
    fits: { from: '5.10.0' },
    programs: [{ name: 'ip', ask: ['-V'] }],
    ...fromDebian('iproute2'),
  },
  {
    name: 'tini',
    purpose: 'reaps zombies as the first process of a container',
    fits: { from: '0.19.0' },
    programs: [{ name: 'tini', ask: ['--version'] }],
    ...fromDebian('tini'),
  },
  {
    name: 'wireguard-tools',
    purpose: 'sets WireGuard’s peers',
    fits: { from: '1.0.20200513' },
    programs: [{ name: 'wg', ask: ['--version'] }],
    ...fromDebian('wireguard-tools'),
  },
  {
    name: 'git',
    purpose: 'fetches commits; serves the sandbox’s repositories',
    fits: { from: '2.30.0' },
    programs: [{ name: 'git', ask: ['--version'] }],
    ...fromDebian('git'),
  },
  {
    name: 'registry',
    purpose: 'keeps images',
    fits: { from: '2.8.0' },
    programs: [{ name: 'docker-registry', ask: ['--version'] }],
    ...fromDebian('registry'),
  },
  {
    name: 'redis',
    purpose: 'the other backend of the queue',
    fits: { from: '6.2.0' },
    programs: [{ name: 'redis-server', ask: ['--version'] }],
    ...fromDebian('redis'),
  },
  {
    name: 'systemd',
    purpose: 'checks the units that are made for servers',
    fits: { from: '247.0' },
    programs: [{ name: 'systemd-analyze', ask: ['--version'] }],
    ...fromDebian('systemd'),
  },
  {
    name: 'chromium',
    purpose: 'opens the console’s and the sandbox’s pages',
    fits: { from: '120.0.0' },
    programs: [{ name: 'chromium', ask: ['--version'] }],
    ...fromDebian('chromium'),
  },
  {
    name: 'busybox',
    purpose: 'is the content of the sample’s and the tests’ images: no base image has to be pulled',
    fits: { from: '1.30.0' },
    programs: [{ name: 'busybox', ask: ['--help'], linking: 'static' }],
    ...fromDebian('busybox'),
  },
  {
    name: 'node',
    purpose: 'runs the agent on a server that has none, or one that is too old',
    neededBy: ['node'],
    version: '24.19.0',
    fits: { from: '20.19.0' },
    programs: [{ name: 'node', ask: ['--version'] }],
    release: {
      archives: {
        amd64: {
          url: 'https://nodejs.org/dist/v24.19.0/node-v24.19.0-linux-x64.tar.gz',
          sha256: 'f625d97cd707df4ff96254916fbc5ff014f09c09effe5a1e0ca8f6d41a8789d4',
        },
        arm64: {
          url: 'https://nodejs.org/dist/v24.19.0/node-v24.19.0-linux-arm64.tar.gz',
          sha256: 'd28c8a5bf0a808f0ed434a1dce8c54ae98f0371c0bd86ac58abc613f73e6643f',
        },
      },
      members: ['bin/node'],
      strip: 1,
    },
  },
  {
    name: 'go',
    purpose: 'builds the tools above that have no verified binary here',
    neededBy: [],
    version: '1.26.8',
    // Older ones from 1.21 on fetch the version a go.mod asks for by themselves.
    fits: { from: '1.21.0' },
    programs: [{ name: 'go', ask: ['version'] }],
    release: {
      archives: {
        amd64: {
          url: 'https://go.dev/dl/go1.26.8.linux-amd64.tar.gz',
          sha256: 'd0f743b33e8d8945e6b1f432edd15785c70507121d6e2a723b21285eddf8b57b',
        },
        arm64: {
          url: 'https://go.dev/dl/go1.26.8.linux-arm64.tar.gz',
          sha256: '211ffced9dcb9633a55eac6364816ec0ddd951389a740e88fa8b3337971bdda0',
        },
      },
      members: ['go'],
      strip: 1,
    },
  },
] as const satisfies readonly Pin[];

export type ProgramName = (typeof pins)[number]['programs'][number]['name'];

const byName: ReadonlyMap<string, Pin> = new Map<string, Pin>(pins.map((pin) => [pin.name, pin]));
const byProgram: ReadonlyMap<string, Pin> = new Map<string, Pin>(
  pins.flatMap((pin) => pin.programs.map((program) => [program.name, pin])),
);

/** By the tool's name, or by the name of one of its programs. */
export function findPin(name: string): Pin | null {
  return byName.get(name) ?? byProgram.get(name) ?? null;
}

export function pinsFor(need: Need): Pin[] {
  return pins.filter((pin: Pin) => pin.neededBy.includes(need));
}
