/** Renders an expected container as the body of `POST /containers/create`. */
import type { ExpectedContainer } from '../../core/contract/expected-state.ts';
import { labelsOf } from '../../core/plan/labels.ts';

export interface Ulimit {
  type: 'nofile' | 'nproc';
  soft: number;
  hard: number;
}

export interface CreateContext {
  network: string;
  /** DNS server that the container asks; null: those of this machine. */
  dnsServer: string | null;
  /** Opened from `sealedSecrets`. */
  secrets: Readonly<Record<string, string>>;
  /** At or below what this machine allows the engine itself. */
  ulimits: readonly Ulimit[];
  /** cgroup under which containers live; null leaves it to the engine. */
  cgroupParent: string | null;
}

export type ContainerCreate = ReturnType<typeof containerCreate>;

/**
 * What images that start as root and change to a user of their own need. Everything else is dropped, and
 * `no_new_privileges` keeps a process from gaining more through set-uid programs.
 */
export const capabilities = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'KILL',
  'NET_BIND_SERVICE',
  'SETGID',
  'SETUID',
] as const;

/** `landfall-<service>-<end of the allocation id>`: the end, because ids made in the same moment begin alike. */
export function containerName(serviceName: string, allocationId: string): string {
  const short = allocationId.replaceAll(/[^A-Za-z0-9]/g, '').slice(-12);
  return `landfall-${serviceName}-${short}`;
}

/**
 * The same for the same address: whoever reached the container before its replacement still knows where to send, instead of asking
 * the network only after half a minute. Locally administered, with the four bytes of the address.
 */
export function hardwareAddress(ip: string): string {
  const bytes = [2, 0, ...ip.split('.').map(Number)];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

const cpuPeriodMicros = 100_000;
const logBytes = 10 * 1024 * 1024;

export function containerCreate(expected: ExpectedContainer, context: CreateContext) {
  const { resources } = expected;
  return {
    name: containerName(expected.serviceName, expected.allocationId),
    image: expected.image,
    // A command replaces both the entrypoint and the arguments of the image.
    ...(expected.command === null ? {} : { entrypoint: expected.command, command: [] }),
    env: { ...expected.env, ...context.secrets },
    labels: labelsOf(expected),
    hostname: expected.serviceName,
    netns: { nsmode: 'bridge' },
    networks: { [context.network]: { static_ips: [expected.ip], static_mac: hardwareAddress(expected.ip) } },
    ...(context.dnsServer === null ? {} : { dns_server: [context.dnsServer] }),
    // A process without root may listen on a low port in its own network namespace.
    sysctl: { 'net.ipv4.ip_unprivileged_port_start': '0' },
    no_new_privileges: true,
    cap_drop: ['ALL'],
    cap_add: [...capabilities],
    // The agent restarts: two restarters would fight over backoff and leases.
    restart_policy: 'no',
    stop_timeout: Math.ceil(expected.stopGraceMs / 1_000),
    r_limits: [...context.ulimits],
    resource_limits: {
      cpu: { period: cpuPeriodMicros, quota: Math.max(1_000, resources.cpuMillis * (cpuPeriodMicros / 1_000)) },
      memory: { limit: resources.memoryBytes },
      pids: { limit: resources.pids },
    },
    log_configuration: { driver: 'k8s-file', size: logBytes },
    ...(context.cgroupParent === null ? {} : { cgroup_parent: context.cgroupParent }),
  };
}
