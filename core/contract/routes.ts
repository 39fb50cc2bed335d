/** What a proxy is told: which requests go where, and the certificates it shows. Workers are told of none. */
import Type, { type Static } from 'typebox';

const Port = Type.Integer({ minimum: 1, maximum: 65_535 });

export const RouteBackend = Type.Object({
  /** `address:port` of a replica that is healthy. */
  address: Type.String(),
  /** A replica on the proxy's own node weighs more than one across the mesh. */
  weight: Type.Integer({ minimum: 1, maximum: 1_000 }),
});
export type RouteBackend = Static<typeof RouteBackend>;

/** One release behind a route. */
export const RouteTarget = Type.Object({
  releaseId: Type.String(),
  /** Its share of the requests beside the other targets of the route. */
  weight: Type.Integer({ minimum: 0, maximum: 1_000 }),
  backends: Type.Array(RouteBackend),
});
export type RouteTarget = Static<typeof RouteTarget>;

/** Asked by the proxy itself, between two reports of the agents. */
export const RouteHealth = Type.Object({
  path: Type.String({ pattern: '^/' }),
  intervalMs: Type.Integer({ minimum: 100 }),
  timeoutMs: Type.Integer({ minimum: 100 }),
});

export const RouteOptions = Type.Object({
  /** Header names and values that are set; an empty value takes the header away. */
  requestHeaders: Type.Record(Type.String(), Type.String()),
  responseHeaders: Type.Record(Type.String(), Type.String()),
  /** Lines `user:hash` of htpasswd; none asked for when empty. */
  basicAuth: Type.Array(Type.String()),
  /** Networks that may ask; everybody when empty. */
  allow: Type.Array(Type.String()),
  /** Requests a second of one address; `burst` at once. */
  rateLimit: Type.Union([
    Type.Object({ average: Type.Integer({ minimum: 1 }), burst: Type.Integer({ minimum: 1 }) }),
    Type.Null(),
  ]),
  /** Redirect `www.example.com` to `example.com`, or the other way. */
  www: Type.Union([Type.Literal('remove'), Type.Literal('add'), Type.Null()]),
  /** The service does not see the route's path. */
  stripPath: Type.Boolean(),
});
export type RouteOptions = Static<typeof RouteOptions>;

export const HttpRoute = Type.Object({
  /** Names its parts in the proxy: letters, digits and dashes. */
  id: Type.String({ pattern: '^[a-z0-9-]+$' }),
  hosts: Type.Array(Type.String(), { minItems: 1 }),
  /** Everything below it; null: every path. */
  path: Type.Union([Type.String({ pattern: '^/' }), Type.Null()]),
  /** Requests over plain HTTP are sent to HTTPS. Null: there is no certificate yet, and HTTP serves. */
  tls: Type.Union([Type.Literal('redirect'), Type.Literal('both'), Type.Null()]),
  options: RouteOptions,
  health: Type.Union([RouteHealth, Type.Null()]),
  targets: Type.Array(RouteTarget),
});
export type HttpRoute = Static<typeof HttpRoute>;

export const TcpRoute = Type.Object({
  id: Type.String({ pattern: '^[a-z0-9-]+$' }),
  /** That the world connects to. */
  port: Port,
  /** Server name in TLS; null: every connection to the port. */
  host: Type.Union([Type.String(), Type.Null()]),
  /** `passthrough`: the service has the certificate. */
  tls: Type.Union([Type.Literal('passthrough'), Type.Literal('terminate'), Type.Null()]),
  targets: Type.Array(RouteTarget),
});
export type TcpRoute = Static<typeof TcpRoute>;

export const UdpRoute = Type.Object({
  id: Type.String({ pattern: '^[a-z0-9-]+$' }),
  port: Port,
  targets: Type.Array(RouteTarget),
});
export type UdpRoute = Static<typeof UdpRoute>;

export const RouteCertificate = Type.Object({
  /** Of its content: names its files. */
  digest: Type.String({ pattern: '^[0-9a-f]{16,64}$' }),
  hosts: Type.Array(Type.String()),
  /** PEM, the whole chain. */
  chain: Type.String(),
  /** PEM, sealed to this node. */
  sealedKey: Type.String(),
});
export type RouteCertificate = Static<typeof RouteCertificate>;

export const Routes = Type.Object({
  /** Where `/.well-known/acme-challenge/{token}` is answered: `http://control-plane:port`. */
  challengeUrl: Type.Union([Type.String(), Type.Null()]),
  /** Each sorted by id. */
  http: Type.Array(HttpRoute),
  tcp: Type.Array(TcpRoute),
  udp: Type.Array(UdpRoute),
  certificates: Type.Array(RouteCertificate),
});
export type Routes = Static<typeof Routes>;
