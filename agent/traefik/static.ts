/** Renders the configuration that Traefik starts with. A change of it needs another start; routes and certificates do not. */
import { entryPoints, tcpEntryPoint, udpEntryPoint } from '../../core/routes/dynamic.ts';

export interface StaticOptions {
  /** Addresses that the world connects to, e.g. `:80`. */
  http: string;
  https: string;
  /** Of the world's connections to TCP and UDP services: null is every address of the machine. */
  bind: string | null;
  /** Ports of TCP and UDP services. Sorted. */
  tcp: readonly number[];
  udp: readonly number[];
  /** `127.0.0.1:port`: the API, the metrics and the marker, for this agent alone. */
  internal: string;
  routesFile: string;
  accessLog: string;
}

/** Fine enough to judge a canary by its slowest hundredth. */
const latencyBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A reload within this time: the file is written whole, so there is nothing to wait for. */
const throttle = '50ms';

export function staticConfiguration(options: StaticOptions): object {
  const at = (port: number): string => `${options.bind ?? ''}:${port}`;
  // Two can listen at once: the next one takes connections before the one before it ends.
  const open = { reusePort: true };
  // No limit for a whole request: an upload may take its time. Idle connections are kept for as long as clients keep them.
  const transport = {
    respondingTimeouts: { readTimeout: '0s', idleTimeout: '180s' },
    lifeCycle: { graceTimeOut: '30s' },
  };
  const streams = [
    ...options.tcp.map((port): [string, object] => [tcpEntryPoint(port), { address: at(port), ...open }]),
    ...options.udp.map((port): [string, object] => [udpEntryPoint(port), { address: `${at(port)}/udp`, ...open }]),
  ];
  return {
    global: { checkNewVersion: false, sendAnonymousUsage: false },
    log: { level: 'INFO', format: 'json' },
    entryPoints: {
      [entryPoints.http]: { address: options.http, ...open, transport },
      [entryPoints.https]: { address: options.https, ...open, transport },
      [entryPoints.internal]: { address: options.internal, ...open },
      ...Object.fromEntries(streams),
    },
    providers: { providersThrottleDuration: throttle, file: { filename: options.routesFile, watch: true } },
    api: { insecure: true, dashboard: false },
    ping: { entryPoint: entryPoints.internal },
    metrics: {
      prometheus: {
        entryPoint: entryPoints.internal,
        addServicesLabels: true,
        addEntryPointsLabels: true,
        buckets: latencyBuckets,
      },
    },
    accessLog: { filePath: options.accessLog, format: 'json', fields: { headers: { defaultMode: 'drop' } } },
  };
}
