/** Reads the agent's command line. Pure: what is wrong with it is an InputError that says what to write instead. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../platform/errors/classify.ts';
import { InputError } from '../platform/errors/errors.ts';
import type { BuilderChoice } from './build/builder.ts';
import type { MeshChoice, ProxyChoice } from './parts/open.ts';
import type { EngineChoice } from './podman/engine.ts';

export type Flags =
  | { kind: 'help' }
  | {
      /** `register`: only make this node known. `unit`: only print the systemd unit. */
      kind: 'run' | 'register' | 'unit';
      url: string;
      token: string | null;
      node: 'worker' | 'proxy';
      dataDir: string;
      engine: EngineChoice;
      builder: BuilderChoice;
      bridge: string;
      mesh: MeshChoice;
      proxy: ProxyChoice;
    };

export const usage = `landfall-agent: runs on each server and brings it to the state that the control plane expects.

  --url URL               of the control plane, https://landfall.example.com
  --token TOKEN           for the first start, and after a removal: printed by \`landfall node add NAME\`
  --proxy                 this node serves routes to the world (its token was made with --proxy)
  --data DIR              keys, images, containers and caches (default /var/lib/landfall)
  --podman-socket PATH    use this Podman API socket instead of a service of the agent's own
  --buildkit-address URL  use this BuildKit (unix://…) instead of a daemon of the agent's own
  --buildkitd PROGRAM     the BuildKit daemon to run (default buildkitd, from PATH)
  --no-build              make no builds on this node
  --bridge NAME           of the containers' network (default landfall0)
  --wireguard NAME        of the interface to the other nodes (default landfall-wg)
  --wireguard-port PORT   that it listens on, UDP (default 51820)
  --wireguard-go PROGRAM  for kernels without WireGuard (default wireguard-go, from PATH)
  --endpoint HOST:PORT    where other nodes reach it, when they cannot find it out (a port forwarded by a router)
  --traefik PROGRAM       that serves routes on a proxy (default traefik, from PATH)
  --http ADDRESS          of a proxy, for the world (default :80)
  --https ADDRESS         the same for TLS (default :443)
  --traefik-api ADDRESS   for the agent's own questions to it (default 127.0.0.1:7799)
  --ephemeral             containers end with the agent; images stay in --data
  --register              register this node and end
  --unit                  print the systemd unit for these flags and end
  --json                  print a failure as JSON
  --help                  this text
`;

const options = {
  url: { type: 'string' },
  token: { type: 'string' },
  proxy: { type: 'boolean', default: false },
  data: { type: 'string', default: '/var/lib/landfall' },
  'podman-socket': { type: 'string' },
  'buildkit-address': { type: 'string' },
  buildkitd: { type: 'string', default: 'buildkitd' },
  'no-build': { type: 'boolean', default: false },
  bridge: { type: 'string', default: 'landfall0' },
  wireguard: { type: 'string', default: 'landfall-wg' },
  'wireguard-port': { type: 'string', default: '51820' },
  'wireguard-go': { type: 'string', default: 'wireguard-go' },
  endpoint: { type: 'string' },
  traefik: { type: 'string', default: 'traefik' },
  http: { type: 'string', default: ':80' },
  https: { type: 'string', default: ':443' },
  'traefik-api': { type: 'string', default: '127.0.0.1:7799' },
  ephemeral: { type: 'boolean', default: false },
  register: { type: 'boolean', default: false },
  unit: { type: 'boolean', default: false },
  /** Of a failure alone: main.ts reads it, also where the other flags cannot be read. */
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** The kernel takes no longer names for interfaces. */
const interfaceName = /^[a-z][a-z0-9-]{0,14}$/;

export function parseFlags(argv: readonly string[]): Flags {
  const { values } = parsed(argv);
  if (values.help) return { kind: 'help' };
  return {
    kind: values.unit ? 'unit' : values.register ? 'register' : 'run',
    url: urlOf(values.url),
    // The install script passes on what it was given, which may be nothing.
    token: values.token === undefined || values.token === '' ? null : values.token,
    node: values.proxy ? 'proxy' : 'worker',
    dataDir: path.resolve(values.data),
    engine: engineOf(values['podman-socket'], values.ephemeral),
    builder: builderOf(values),
    bridge: interfaceOf('--bridge', values.bridge),
    mesh: {
      device: interfaceOf('--wireguard', values.wireguard),
      userspace: values['wireguard-go'],
      listenPort: portOf('--wireguard-port', values['wireguard-port']),
      endpoint: values.endpoint === undefined ? null : addressOf('--endpoint', values.endpoint, endpoint),
    },
    proxy: {
      program: values.traefik,
      http: addressOf('--http', values.http, listening),
      https: addressOf('--https', values.https, listening),
      internal: addressOf('--traefik-api', values['traefik-api'], endpoint),
    },
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false });
  } catch (cause) {
    const message = messageOf(cause);
    throw new InputError('flags_invalid', `${message} See --help.`, { cause });
  }
}

function urlOf(url: string | undefined): string {
  if (url === undefined) {
    throw new InputError('url_missing', 'Give the control plane with --url, for example https://landfall.example.com.');
  }
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url.replace(/\/+$/, '');
  throw new InputError('url_invalid', `--url ${url} is not an http or https address.`, { path: '--url' });
}

function engineOf(socket: string | undefined, ephemeral: boolean): EngineChoice {
  if (socket === undefined) {
    return { kind: 'supervised', lifetime: ephemeral ? 'ends_with_agent' : 'outlives_agent' };
  }
  if (!ephemeral) return { kind: 'socket', path: path.resolve(socket) };
  throw new InputError(
    'flags_invalid',
    '--ephemeral and --podman-socket exclude each other: an engine that somebody else runs does not end with the agent.',
  );
}

function builderOf(values: {
  'no-build': boolean;
  'buildkit-address'?: string | undefined;
  buildkitd: string;
}): BuilderChoice {
  if (values['no-build']) return { kind: 'none' };
  const address = values['buildkit-address'];
  return address === undefined ? { kind: 'supervised', program: values.buildkitd } : { kind: 'address', address };
}

function interfaceOf(flag: string, name: string): string {
  if (interfaceName.test(name)) return name;
  const rule = 'a letter, then a to z, 0 to 9 and -, 15 at most';
  throw new InputError('flags_invalid', `${flag} ${name} is not a name of an interface: ${rule}.`);
}

function portOf(flag: string, text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return Number(text);
  throw new InputError('flags_invalid', `${flag} ${text} is not a port: 1 to 65535.`);
}

/** `host:port`, and `:port` for every address. */
const endpoint = { pattern: /^([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})$/, example: '203.0.113.7:51820' };
const listening = { pattern: /^([A-Za-z0-9.-]*|\[[0-9a-fA-F:.]+\]):(\d{1,5})$/, example: ':80' };

function addressOf(flag: string, text: string, { pattern, example }: typeof endpoint): string {
  const port = Number(pattern.exec(text)?.[2]);
  if (port >= 1 && port <= 65_535) return text;
  throw new InputError('flags_invalid', `${flag} ${text} is not an address such as ${example}.`);
}
