/**
 * Keeps Traefik serving this node's routes. A configuration counts when Traefik itself answers for it; one that it refuses is taken
 * back, and the last good one goes on serving.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RouteCertificate, Routes } from '../../core/contract/routes.ts';
import { dynamicConfiguration } from '../../core/routes/dynamic.ts';
import { digestOf } from '../../core/spec/digest.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { readIfThere } from '../../platform/files/if-there.ts';
import { writeAtomically } from '../storage/atomic-file.ts';
import { proxyApi, type ProxyApi } from './api.ts';
import {
  findProxyProcess,
  forgetProxyProcess,
  isRunning,
  listensOn,
  signalProxy,
  startProxyProcess,
  type ProxyLifetime,
  type Running,
} from './process.ts';
import { staticConfiguration } from './static.ts';

export interface TraefikOptions {
  program: string;
  env: Readonly<Record<string, string>>;
  dataDir: string;
  /** For keys: memory, not disk. */
  runDir: string;
  http: string;
  https: string;
  bind: string | null;
  internal: string;
  lifetime: ProxyLifetime;
  /** Opens what is sealed to this node. */
  openKey: (certificate: RouteCertificate) => string;
  log: (line: string) => void;
}

export interface Traefik {
  readonly api: ProxyApi;
  readonly isRunning: () => Promise<boolean>;
  /** What differs from these routes, in words; empty: they are in force. */
  readonly look: (routes: Routes) => Promise<string[]>;
  /** Puts them in force, and comes back when Traefik serves them. @throws StalledError with what Traefik refuses. */
  readonly apply: (routes: Routes) => Promise<void>;
  /** Ends it: connections that are open get their time. */
  readonly stop: () => Promise<void>;
}

/** Reloads take 40 to 60 ms; a machine under load gets its time. */
const confirm = { everyMs: 10, withinMs: 5_000 };
const start = { everyMs: 20, withinMs: 15_000 };
const end = { everyMs: 50, withinMs: 35_000 };

export function traefik(options: TraefikOptions): Traefik {
  const files = filesOf(options);
  const api = proxyApi(options.internal);
  return {
    api,
    isRunning: async () => (await findProxyProcess(files.pid)) !== null,
    look: (routes) => differences(options, { files, api, routes }),
    async apply(routes) {
      await mkdir(files.certificates, { recursive: true, mode: 0o700 });
      const before = await readIfThere(files.routes);
      const { text, digest } = renderRoutes(files, routes);
      await writeCertificates(options, files, routes.certificates);
      await writeAtomically(files.routes, text);
      await ensureRunning(options, { files, api, routes });
      const refusal = await refusalOf(api, digest);
      if (refusal === null) {
        await removeOldCertificates(files, routes.certificates);
        return;
      }
      if (before !== null && before !== text) await writeAtomically(files.routes, before);
      throw new StalledError('routes_refused', `Traefik does not serve these routes: ${refusal}`, {
        hint: 'The routes before them go on serving. Mend what it names in landfall.yml and push again.',
      });
    },
    async stop() {
      const running = await findProxyProcess(files.pid);
      if (running !== null) await endProcess(running);
      await forgetProxyProcess(files.pid);
      await rm(files.certificates, { recursive: true, force: true });
    },
  };
}

interface Files {
  static: string;
  routes: string;
  pid: string;
  log: string;
  accessLog: string;
  certificates: string;
}

function filesOf({ dataDir, runDir }: TraefikOptions): Files {
  const own = path.join(dataDir, 'traefik');
  return {
    static: path.join(own, 'traefik.yml'),
    routes: path.join(own, 'routes.yml'),
    pid: path.join(own, 'process.json'),
    log: path.join(own, 'traefik.log'),
    accessLog: path.join(own, 'access.log'),
    certificates: path.join(runDir, 'certificates'),
  };
}

interface Scene {
  files: Files;
  api: ProxyApi;
  routes: Routes;
}

async function differences(options: TraefikOptions, { files, api, routes }: Scene): Promise<string[]> {
  const running = await findProxyProcess(files.pid);
  if (running === null) return ['Traefik does not run'];
  const { text, digest } = renderRoutes(files, routes);
  const [written, serves] = await Promise.all([readIfThere(files.routes), api.serves(digest)]);
  return [
    ...(running.digest === digestOf(staticOf(options, files, routes)) ? [] : ['Traefik listens on other ports']),
    ...(written === text ? [] : ['The file of routes is another one']),
    ...(serves ? [] : ['Traefik serves other routes']),
  ];
}

/** JSON is YAML, which is what Traefik reads. */
function renderRoutes(files: Files, routes: Routes): { text: string; digest: string } {
  const digest = digestOf({ routes: { ...routes, certificates: routes.certificates.map((one) => one.digest) } })
    .slice('sha256:'.length)
    .slice(0, 32);
  const certificateFiles = (certificate: RouteCertificate) => pathsOf(files, certificate);
  return { digest, text: `${JSON.stringify(dynamicConfiguration(routes, { digest, certificateFiles }), null, 2)}\n` };
}

function pathsOf({ certificates }: Files, { digest }: Pick<RouteCertificate, 'digest'>) {
  return { certFile: path.join(certificates, `${digest}.crt`), keyFile: path.join(certificates, `${digest}.key`) };
}

async function writeCertificates(
  { openKey }: TraefikOptions,
  files: Files,
  certificates: readonly RouteCertificate[],
): Promise<void> {
  for (const certificate of certificates) {
    const { certFile, keyFile } = pathsOf(files, certificate);
    if ((await readIfThere(keyFile)) !== null && (await readIfThere(certFile)) === certificate.chain) continue;
    await writeAtomically(keyFile, openKey(certificate));
    await writeAtomically(certFile, certificate.chain);
  }
}

async function removeOldCertificates(files: Files, certificates: readonly RouteCertificate[]): Promise<void> {
  const wanted = new Set(certificates.map(({ digest }) => digest));
  for (const name of await readdir(files.certificates))
    if (!wanted.has(path.parse(name).name)) await rm(path.join(files.certificates, name), { force: true });
}

function staticOf({ http, https, bind, internal }: TraefikOptions, files: Files, routes: Routes): object {
  const ports = (of: readonly { port: number }[]) => [...new Set(of.map(({ port }) => port))].sort((a, b) => a - b);
  return staticConfiguration({
    ...{ http, https, bind, internal, routesFile: files.routes, accessLog: files.accessLog },
    ...{ tcp: ports(routes.tcp), udp: ports(routes.udp) },
  });
}

/** Of another configuration it is replaced: the next one listens beside it before it is asked to end. */
async function ensureRunning(options: TraefikOptions, { files, api, routes }: Scene): Promise<void> {
  const configuration = staticOf(options, files, routes);
  const digest = digestOf(configuration);
  const before = await findProxyProcess(files.pid);
  if (before?.digest === digest && (await api.ping())) return;
  await writeAtomically(files.static, `${JSON.stringify(configuration, null, 2)}\n`);
  const argv = [options.program, `--configFile=${files.static}`];
  const next = await startProxyProcess({ ...options, argv, logFile: files.log, pidFile: files.pid, digest });
  const ready = await until(
    async () => !(await isRunning(next)) || (await listensOn(next, portOf(options.http))),
    start,
  );
  if (!ready || !(await isRunning(next))) throw await notStarted(files);
  options.log(before === null ? 'Traefik runs' : 'Traefik runs with other ports');
  if (before !== null) await retire(before, portOf(options.internal));
}

/** Until it takes no connection more, it would answer for the next one, too; those that are open get their time. */
async function retire(before: Running, port: number): Promise<void> {
  const ended = endProcess(before);
  await Promise.race([ended, until(async () => !(await listensOn(before, port)), end)]);
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

async function notStarted({ log }: Files): Promise<StalledError> {
  const said = ((await readIfThere(log)) ?? '').trimEnd().split('\n').slice(-3).join(' ');
  return new StalledError('proxy_unavailable', `Traefik did not start. ${said}`, {
    hint: 'Ports 80 and 443 have to be free on a proxy node, and the agent has to run as root.',
  });
}

/** Null when it serves the configuration, all of it. */
async function refusalOf(api: ProxyApi, digest: string): Promise<string | null> {
  if (!(await until(() => api.serves(digest), confirm))) return 'it went on with the ones before.';
  const refused = await api.refused();
  return refused.length === 0 ? null : refused.join(' ');
}

async function endProcess(running: Running): Promise<void> {
  signalProxy(running, 'SIGTERM');
  if (!(await until(async () => !(await isRunning(running)), end))) signalProxy(running, 'SIGKILL');
}

async function until(
  holds: () => Promise<boolean>,
  { everyMs, withinMs }: { everyMs: number; withinMs: number },
): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    if (await holds()) return true;
    if (Date.now() > deadline) return false;
    await delay(everyMs);
  }
}
