/** Asks Traefik what it serves, at its internal address. */
import { request } from 'node:http';
import Type from 'typebox';
import { Parse } from 'typebox/value';
import { markerPath } from '../../core/routes/dynamic.ts';

export interface ProxyApi {
  /** Whether it is there and takes connections. */
  readonly ping: () => Promise<boolean>;
  /** Whether the configuration of this name is in force: it answers at its marker. */
  readonly serves: (digest: string) => Promise<boolean>;
  /** Parts of the configuration in force that it refused, in its own words. */
  readonly refused: () => Promise<string[]>;
  /** In the text format of Prometheus. */
  readonly metrics: () => Promise<string>;
}

const timeoutMs = 2_000;

const Part = Type.Object({
  status: Type.Optional(Type.String()),
  error: Type.Optional(Type.Array(Type.String())),
  errors: Type.Optional(Type.Array(Type.String())),
});
const Parts = Type.Optional(Type.Record(Type.String(), Part));
const RawData = Type.Object({
  routers: Parts,
  middlewares: Parts,
  services: Parts,
  tcpRouters: Parts,
  tcpServices: Parts,
  udpRouters: Parts,
  udpServices: Parts,
});

export function proxyApi(internal: string): ProxyApi {
  const ask = (path: string) => get(`http://${internal}${path}`);
  return {
    ping: async () => (await ask('/ping'))?.status === 200,
    // The service behind the marker is the one that does nothing: it answers so.
    serves: async (digest) => (await ask(markerPath(digest)))?.status === 418,
    refused: async () => {
      const answer = await ask('/api/rawdata');
      if (answer?.status !== 200) return ['It does not say what it serves.'];
      const sections = Object.values(Parse(RawData, JSON.parse(answer.body)));
      return sections.flatMap((section) => Object.entries(section).flatMap(([name, part]) => faultsOf(name, part)));
    },
    metrics: async () => (await ask('/metrics'))?.body ?? '',
  };
}

function faultsOf(name: string, { status, error = [], errors = [] }: Type.Static<typeof Part>): string[] {
  const said = [...error, ...errors];
  return status === 'disabled' || said.length > 0 ? [`${name.replace(/@file$/, '')}: ${said.join('; ')}`] : [];
}

/** Null when nothing answers. */
function get(url: string): Promise<{ status: number; body: string } | null> {
  return new Promise((resolve) => {
    const call = request(url, { timeout: timeoutMs, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }));
      answer.on('error', () => resolve(null));
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(null));
    call.end();
  });
}
