/**
 * Renders a proxy's routes as Traefik's dynamic configuration (file provider). Pure: the same routes give the same text, and every name
 * in it says which route and release it is of.
 */
import type { HttpRoute, RouteCertificate, Routes, RouteTarget, TcpRoute, UdpRoute } from '../contract/routes.ts';

export type DynamicOptions = {
  /** Names this configuration: Traefik answers at it when it is in force. */
  digest: string;
  /** Where the files of a certificate lie. */
  certificateFiles: (certificate: RouteCertificate) => { certFile: string; keyFile: string };
};

/** Entry points of the static configuration (static.ts). */
export const entryPoints = { http: 'web', https: 'websecure', internal: 'traefik' } as const;

export function tcpEntryPoint(port: number): string {
  return `tcp-${port}`;
}

export function udpEntryPoint(port: number): string {
  return `udp-${port}`;
}

/** Path at the internal entry point that answers only while this configuration is in force. */
export function markerPath(digest: string): string {
  return `/landfall/${digest}`;
}

type Section = Record<string, object>;

/** Far above what the length of a rule gives. */
const priorities = { challenge: 1_000_000, marker: 1_000_000, redirect: 900_000 } as const;

export function dynamicConfiguration(routes: Routes, { digest, certificateFiles }: DynamicOptions): object {
  const http = routes.http.map(httpParts);
  const tcp = routes.tcp.map(tcpParts);
  const udp = routes.udp.map(udpParts);
  const challenge = routes.challengeUrl === null ? noParts : challengeParts(routes.challengeUrl);
  const all = [markerParts(digest), challenge, ...http];
  return withoutEmpty({
    http: withoutEmpty({
      routers: merged(all.map(({ routers }) => routers)),
      middlewares: merged(all.map(({ middlewares }) => middlewares)),
      services: merged(all.map(({ services }) => services)),
    }),
    tcp: withoutEmpty({
      routers: merged(tcp.map(({ routers }) => routers)),
      services: merged(tcp.map(({ services }) => services)),
    }),
    udp: withoutEmpty({
      routers: merged(udp.map(({ routers }) => routers)),
      services: merged(udp.map(({ services }) => services)),
    }),
    tls: withoutEmpty({ certificates: routes.certificates.map(certificateFiles) }),
  });
}

interface Parts {
  routers: Section;
  middlewares: Section;
  services: Section;
}

const noParts: Parts = { routers: {}, middlewares: {}, services: {} };

function markerParts(digest: string): Parts {
  const rule = `Path(\`${markerPath(digest)}\`)`;
  const router = { rule, entryPoints: [entryPoints.internal], service: 'noop@internal', priority: priorities.marker };
  return { ...noParts, routers: { 'landfall-marker': router } };
}

/** Before every other route, whatever their rules are. */
function challengeParts(url: string): Parts {
  const name = 'landfall-challenge';
  const rule = 'PathPrefix(`/.well-known/acme-challenge/`)';
  const rewrite = { regex: '^/\\.well-known/acme-challenge/(.+)$', replacement: '/acme/challenge/$1' };
  return {
    routers: {
      [name]: {
        ...{ rule, entryPoints: [entryPoints.http], priority: priorities.challenge },
        ...{ middlewares: [name], service: name },
      },
    },
    middlewares: { [name]: { replacePathRegex: rewrite } },
    services: { [name]: { loadBalancer: { servers: [{ url }], passHostHeader: false } } },
  };
}

function httpParts(route: HttpRoute): Parts {
  const middlewares = middlewaresOf(route);
  const names = Object.keys(middlewares);
  const rule = ruleOf(route);
  const service = { service: route.id, middlewares: names };
  const secure = { rule, entryPoints: [entryPoints.https], tls: {}, ...service };
  const plain = { rule, entryPoints: [entryPoints.http], ...service };
  const routers: Section =
    route.tls === null
      ? { [route.id]: plain }
      : route.tls === 'both'
        ? { [route.id]: secure, [`${route.id}-http`]: plain }
        : { [route.id]: secure, [`${route.id}-http`]: { ...plain, middlewares: [httpsRedirect(route)] } };
  const redirect: Section =
    route.tls === 'redirect'
      ? { [httpsRedirect(route)]: { redirectScheme: { scheme: 'https', permanent: true } } }
      : {};
  return {
    routers: withoutEmptyMiddlewares(routers),
    middlewares: { ...middlewares, ...redirect },
    services: httpServices(route),
  };
}

function httpsRedirect({ id }: HttpRoute): string {
  return `${id}-https`;
}

function ruleOf({ hosts, path, options }: HttpRoute): string {
  const names = [...new Set(hosts.flatMap((host) => [host, ...otherHost(host, options.www)]))];
  const any = names.map((host) => `Host(\`${host}\`)`).join(' || ');
  return path === null || path === '/'
    ? any
    : `(${any}) && (Path(\`${bare(path)}\`) || PathPrefix(\`${bare(path)}/\`))`;
}

function bare(path: string): string {
  return path.replace(/\/+$/, '');
}

/** The name that is redirected away has to be taken too. */
function otherHost(host: string, www: HttpRoute['options']['www']): string[] {
  if (www === 'remove') return host.startsWith('www.') ? [] : [`www.${host}`];
  if (www === 'add') return host.startsWith('www.') ? [host.slice('www.'.length)] : [];
  return [];
}

/** In the order in which they are applied: who may ask at all comes first. */
function middlewaresOf({ id, path, options }: HttpRoute): Section {
  const { allow, rateLimit, basicAuth, requestHeaders, responseHeaders, www, stripPath } = options;
  const headers = withoutEmpty({ customRequestHeaders: requestHeaders, customResponseHeaders: responseHeaders });
  return {
    ...(allow.length > 0 && { [`${id}-allow`]: { ipAllowList: { sourceRange: allow } } }),
    ...(rateLimit && { [`${id}-rate`]: { rateLimit: { ...rateLimit, period: '1s' } } }),
    ...(www !== null && { [`${id}-www`]: { redirectRegex: wwwRedirect(www) } }),
    ...(basicAuth.length > 0 && { [`${id}-auth`]: { basicAuth: { users: basicAuth, removeHeader: true } } }),
    ...(Object.keys(headers).length > 0 && { [`${id}-headers`]: { headers } }),
    ...(stripPath && path !== null && path !== '/' && { [`${id}-strip`]: { stripPrefix: { prefixes: [bare(path)] } } }),
  };
}

function wwwRedirect(www: 'remove' | 'add'): object {
  return www === 'remove'
    ? { regex: '^(https?)://www\\.(.+)$', replacement: '${1}://${2}', permanent: true }
    : { regex: '^(https?)://(?:www\\.)?(.+)$', replacement: '${1}://www.${2}', permanent: true };
}

/** One service a release, so that each has its own figures; the route divides requests between them. */
function httpServices(route: HttpRoute): Section {
  const health = route.health && {
    healthCheck: {
      path: route.health.path,
      interval: milliseconds(route.health.intervalMs),
      timeout: milliseconds(route.health.timeoutMs),
    },
  };
  const targets = route.targets.map((target): [string, object] => [
    serviceName(route, target),
    {
      loadBalancer: {
        servers: target.backends.map(({ address, weight }) => ({ url: `http://${address}`, weight })),
        ...health,
      },
    },
  ]);
  return { ...Object.fromEntries(targets), [route.id]: { weighted: { services: shares(route) } } };
}

function shares(route: { id: string; targets: readonly RouteTarget[] }): object[] {
  return route.targets.map((target) => ({ name: serviceName(route, target), weight: target.weight }));
}

/** Named in Traefik's metrics as well. */
export function serviceName({ id }: { id: string }, { releaseId }: RouteTarget): string {
  return `${id}-${releaseId}`;
}

function tcpParts(route: TcpRoute): Omit<Parts, 'middlewares'> {
  const rule = `HostSNI(\`${route.host ?? '*'}\`)`;
  const tls = route.tls === null ? {} : { tls: route.tls === 'passthrough' ? { passthrough: true } : {} };
  const router = { rule, entryPoints: [tcpEntryPoint(route.port)], service: route.id, ...tls };
  return { routers: { [route.id]: router }, services: streamServices(route) };
}

function udpParts(route: UdpRoute): Omit<Parts, 'middlewares'> {
  const router = { entryPoints: [udpEntryPoint(route.port)], service: route.id };
  return { routers: { [route.id]: router }, services: streamServices(route) };
}

function streamServices(route: TcpRoute | UdpRoute): Section {
  const targets = route.targets.map((target): [string, object] => [
    serviceName(route, target),
    {
      weighted: {
        services: target.backends.map((backend) => ({ name: backendName(route, backend), weight: backend.weight })),
      },
    },
  ]);
  const backends = route.targets.flatMap((target) =>
    target.backends.map((backend): [string, object] => [
      backendName(route, backend),
      { loadBalancer: { servers: [{ address: backend.address }] } },
    ]),
  );
  return {
    ...Object.fromEntries(backends),
    ...Object.fromEntries(targets),
    [route.id]: { weighted: { services: shares(route) } },
  };
}

function backendName({ id }: { id: string }, { address }: { address: string }): string {
  return `${id}-${address.replaceAll(/[.:]/g, '-')}`;
}

function milliseconds(value: number): string {
  return `${value}ms`;
}

function merged(sections: readonly Section[]): Section {
  const entries = sections.flatMap((section) => Object.entries(section));
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Traefik refuses empty lists and tables in several places. */
function withoutEmpty(section: object): object {
  return Object.fromEntries(Object.entries(section).filter(([, value]) => !isEmpty(value)));
}

function withoutEmptyMiddlewares(routers: Section): Section {
  return Object.fromEntries(
    Object.entries(routers).map(([name, router]) => [
      name,
      'tls' in router ? { ...withoutEmpty(router), tls: {} } : withoutEmpty(router),
    ]),
  );
}

/** `tls: {}` of a router is no empty table: it says that there is TLS. */
function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isSection(value) && Object.keys(value).length === 0;
}

function isSection(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
