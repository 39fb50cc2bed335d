/** Asks a registry questions over its HTTP API (OCI distribution), with a password or by the token it asks to fetch. */
import { field } from '../../platform/errors/field.ts';
import type { RegistryCredentials } from './credentials.ts';

export interface RegistryTarget {
  /** `host:port` */
  host: string;
  insecure: boolean;
  credentials: RegistryCredentials | null;
}

const deadlineMs = 5_000;

/** GET under `/v2/`. Rejects when the registry cannot be reached; a refusal is an answer. */
export async function askRegistry(target: RegistryTarget, path: string, accept: string): Promise<Response> {
  const url = `${target.insecure ? 'http' : 'https'}://${target.host}/v2/${path}`;
  const basic = basicAuthorization(target.credentials);
  const first = await get(url, accept, basic);
  const challenge = first.status === 401 ? bearerChallenge(first.headers.get('www-authenticate')) : null;
  if (challenge === null) return first;
  // A registry with a token service takes, or refuses, the password there.
  const token = await get(challenge, 'application/json', basic);
  return token.ok ? await get(url, accept, `Bearer ${tokenOf(await token.json())}`) : token;
}

function get(url: string, accept: string, authorization: string | null): Promise<Response> {
  const headers = { accept, ...(authorization === null ? {} : { authorization }) };
  return fetch(url, { headers, signal: AbortSignal.timeout(deadlineMs) });
}

function basicAuthorization(credentials: RegistryCredentials | null): string | null {
  if (credentials === null) return null;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}

function tokenOf(body: unknown): string {
  const token = field(body, 'token') ?? field(body, 'access_token');
  return typeof token === 'string' ? token : '';
}

/** The address to ask for a token, from `Bearer realm="…",service="…",scope="…"`; null for another kind of challenge. */
export function bearerChallenge(header: string | null): string | null {
  if (header === null || !/^bearer /i.test(header)) return null;
  const parameters = new Map([...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  const realm = parameters.get('realm');
  if (realm === undefined || !URL.canParse(realm)) return null;
  const url = new URL(realm);
  for (const name of ['service', 'scope']) {
    const value = parameters.get(name);
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}
