import { describe, expect, it } from 'vitest';
import { noHttpOptions, noRoutes } from '../../test/core/facts.ts';
import type { HttpRoute, Routes } from '../contract/routes.ts';
import { dynamicConfiguration } from './dynamic.ts';

const route: HttpRoute = {
  ...{ id: 'shop-web', hosts: ['shop.example.com'], path: null, tls: 'redirect', options: noHttpOptions, health: null },
  targets: [
    {
      releaseId: 'r1',
      weight: 100,
      backends: [
        { address: '10.200.1.2:8080', weight: 5 },
        { address: '10.200.2.2:8080', weight: 1 },
      ],
    },
  ],
};

type Parts = Record<string, Record<string, Record<string, unknown>>>;

function rendered(routes: Partial<Routes>): { http: Parts; tcp: Parts; udp: Parts; tls: unknown } {
  const certificateFiles = ({ digest }: { digest: string }) => ({
    certFile: `/${digest}.crt`,
    keyFile: `/${digest}.key`,
  });
  return dynamicConfiguration({ ...noRoutes, ...routes }, { digest: 'abc', certificateFiles }) as ReturnType<
    typeof rendered
  >;
}

describe('the configuration of a proxy', () => {
  it('without routes answers only at its marker, and has no empty table that Traefik refuses', () => {
    expect(rendered({})).toEqual({
      http: {
        routers: {
          'landfall-marker': {
            ...{
              rule: 'Path(`/landfall/abc`)',
              entryPoints: ['traefik'],
              service: 'noop@internal',
              priority: 1_000_000,
            },
          },
        },
      },
    });
  });

  it('sends plain HTTP to HTTPS, and divides requests by weight', () => {
    const { routers, middlewares, services } = rendered({ http: [route] }).http;
    expect(routers).toMatchObject({
      'shop-web': { rule: 'Host(`shop.example.com`)', entryPoints: ['websecure'], tls: {}, service: 'shop-web' },
      'shop-web-http': { entryPoints: ['web'], middlewares: ['shop-web-https'] },
    });
    expect(middlewares).toEqual({ 'shop-web-https': { redirectScheme: { scheme: 'https', permanent: true } } });
    expect(services).toEqual({
      'shop-web': { weighted: { services: [{ name: 'shop-web-r1', weight: 100 }] } },
      'shop-web-r1': {
        loadBalancer: {
          servers: [
            { url: 'http://10.200.1.2:8080', weight: 5 },
            { url: 'http://10.200.2.2:8080', weight: 1 },
          ],
        },
      },
    });
  });

  it('serves plain HTTP while there is no certificate', () => {
    const { routers } = rendered({ http: [{ ...route, tls: null }] }).http;
    expect(Object.keys(routers ?? {})).toEqual(['landfall-marker', 'shop-web']);
    expect(routers?.['shop-web']).not.toHaveProperty('tls');
  });

  it('takes a path and what is below it, and not what only begins alike', () => {
    const { routers } = rendered({ http: [{ ...route, path: '/api/' }] }).http;
    expect(routers?.['shop-web']?.['rule']).toBe('(Host(`shop.example.com`)) && (Path(`/api`) || PathPrefix(`/api/`))');
  });

  it('applies what users ask for in an order in which it makes sense', () => {
    const options: HttpRoute['options'] = {
      ...{ requestHeaders: { 'X-A': '1' }, responseHeaders: { Server: '' }, basicAuth: ['ada:$2y$05$x'] },
      ...{ allow: ['192.0.2.0/24'], rateLimit: { average: 10, burst: 20 }, www: 'remove', stripPath: true },
    };
    const { routers, middlewares } = rendered({ http: [{ ...route, path: '/api', options }] }).http;
    expect(routers?.['shop-web']).toMatchObject({
      rule: '(Host(`shop.example.com`) || Host(`www.shop.example.com`)) && (Path(`/api`) || PathPrefix(`/api/`))',
      middlewares: ['allow', 'rate', 'www', 'auth', 'headers', 'strip'].map((name) => `shop-web-${name}`),
    });
    expect(middlewares).toMatchObject({
      'shop-web-allow': { ipAllowList: { sourceRange: ['192.0.2.0/24'] } },
      'shop-web-rate': { rateLimit: { average: 10, burst: 20, period: '1s' } },
      'shop-web-auth': { basicAuth: { users: ['ada:$2y$05$x'], removeHeader: true } },
      'shop-web-headers': { headers: { customRequestHeaders: { 'X-A': '1' }, customResponseHeaders: { Server: '' } } },
      'shop-web-strip': { stripPrefix: { prefixes: ['/api'] } },
    });
  });

  it('sends challenges to the control plane before every route', () => {
    const { routers, middlewares, services } = rendered({ challengeUrl: 'http://10.0.0.1:7780', http: [route] }).http;
    expect(routers?.['landfall-challenge']).toMatchObject({ entryPoints: ['web'], priority: 1_000_000 });
    expect(middlewares?.['landfall-challenge']).toMatchObject({
      replacePathRegex: { replacement: '/acme/challenge/$1' },
    });
    expect(services?.['landfall-challenge']).toMatchObject({
      loadBalancer: { servers: [{ url: 'http://10.0.0.1:7780' }] },
    });
  });

  it('has streams by port, by server name, and with TLS passed through', () => {
    const backends = [{ address: '10.200.1.9:5432', weight: 5 }];
    const targets = [{ releaseId: 'r1', weight: 1, backends }];
    const { tcp, udp } = rendered({
      tcp: [
        { id: 'db', port: 5432, host: null, tls: null, targets },
        { id: 'mail', port: 993, host: 'mail.example.com', tls: 'passthrough', targets },
      ],
      udp: [{ id: 'game', port: 7777, targets }],
    });
    expect(tcp['routers']).toEqual({
      db: { rule: 'HostSNI(`*`)', entryPoints: ['tcp-5432'], service: 'db' },
      mail: {
        ...{ rule: 'HostSNI(`mail.example.com`)', entryPoints: ['tcp-993'], service: 'mail' },
        tls: { passthrough: true },
      },
    });
    expect(tcp['services']).toMatchObject({
      'db-10-200-1-9-5432': { loadBalancer: { servers: [{ address: '10.200.1.9:5432' }] } },
      'db-r1': { weighted: { services: [{ name: 'db-10-200-1-9-5432', weight: 5 }] } },
      db: { weighted: { services: [{ name: 'db-r1', weight: 1 }] } },
    });
    expect(udp['routers']).toEqual({ game: { entryPoints: ['udp-7777'], service: 'game' } });
  });
});
