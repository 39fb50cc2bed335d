/**
 * Finds out why an image could not be pushed, by asking the registry: the daemon reports a refused password and an
 * unreachable host as text alone.
 */
import { messageOf } from '../../../platform/errors/classify.ts';
import { errorCode } from '../context/vanished.ts';
import type { BuildProblem } from './errors.ts';
import type { RegistryCredentials, SolveRequest } from './solve-request.ts';

export interface PushTarget {
  readonly host: string;
  readonly repository: string;
  /** The export allows plain HTTP and certificates nobody signed. */
  readonly insecure: boolean;
}

const probeTimeoutMs = 5000;

/** `host/repository:tag@digest`, as a push target; null for a name without a host. */
export function parsePushTarget(reference: string, insecure: boolean): PushTarget | null {
  const slash = reference.indexOf('/');
  const host = reference.slice(0, Math.max(slash, 0));
  if (!/[.:]|^localhost$/.test(host)) return null;
  const repository = reference
    .slice(slash + 1)
    .replace(/@.*$/, '')
    .replace(/:[^/:]*$/, '');
  return { host, repository, insecure };
}

/** Every repository that a request writes to: its image, and its cache. */
export function pushTargets(request: Pick<SolveRequest, 'exports' | 'cacheExports'>): readonly PushTarget[] {
  const images = request.exports
    .filter(({ attrs }) => attrs['push'] === 'true')
    .flatMap(({ attrs }) =>
      (attrs['name'] ?? '').split(',').map((name) => parsePushTarget(name, attrs['registry.insecure'] === 'true')),
    );
  const caches = request.cacheExports
    .filter(({ type }) => type === 'registry')
    .map(({ attrs }) => parsePushTarget(attrs['ref'] ?? '', attrs['registry.insecure'] === 'true'));
  return [...images, ...caches].filter((target) => target !== null);
}

function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(host);
}

function basic(credentials: RegistryCredentials | undefined): Record<string, string> {
  if (credentials === undefined) return {};
  const pair = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
  return { authorization: `Basic ${pair}` };
}

/** The parameters of `WWW-Authenticate: Bearer realm="…",service="…"`; null when the registry does not want a token. */
export function tokenRealm(challenge: string | null): { readonly realm: string; readonly service: string } | null {
  if (challenge === null || !/^bearer\s/i.test(challenge)) return null;
  const parameter = (name: string): string => new RegExp(`${name}="([^"]*)"`, 'i').exec(challenge)?.[1] ?? '';
  const realm = parameter('realm');
  return realm === '' ? null : { realm, service: parameter('service') };
}

type Answer =
  | { readonly kind: 'answered'; readonly response: Response }
  | { readonly kind: 'unreachable'; readonly reason: string };

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return errorCode(cause) ?? errorCode(error) ?? messageOf(error);
}

async function send(method: string, url: string | URL, headers: Record<string, string>): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(probeTimeoutMs);
    return { kind: 'answered', response: await fetch(url, { method, headers, redirect: 'manual', signal }) };
  } catch (error) {
    return { kind: 'unreachable', reason: reasonOf(error) };
  }
}

interface Found {
  readonly base: string;
  readonly answer: Answer;
}

/** Asks over the schemes that the daemon would try; the first that answers decides. */
async function findBase(target: PushTarget): Promise<Found> {
  const ask = async (scheme: string): Promise<Found> => {
    const base = `${scheme}://${target.host}`;
    return { base, answer: await send('GET', `${base}/v2/`, {}) };
  };
  const plainFirst = target.insecure || isLoopback(target.host);
  const found = await ask(plainFirst ? 'http' : 'https');
  return found.answer.kind === 'answered' || !plainFirst ? found : ask('https');
}

type Authorization =
  | { readonly kind: 'headers'; readonly headers: Record<string, string> }
  | { readonly kind: 'refused'; readonly status: number };

async function authorize(
  challenge: string | null,
  target: PushTarget,
  credentials: RegistryCredentials | undefined,
): Promise<Authorization> {
  const wanted = tokenRealm(challenge);
  if (wanted === null) return { kind: 'headers', headers: basic(credentials) };
  const url = new URL(wanted.realm);
  url.searchParams.set('service', wanted.service);
  url.searchParams.set('scope', `repository:${target.repository}:pull,push`);
  const answer = await send('GET', url, basic(credentials));
  if (answer.kind === 'unreachable' || !answer.response.ok) {
    return { kind: 'refused', status: answer.kind === 'answered' ? answer.response.status : 401 };
  }
  const body: unknown = await answer.response.json();
  const token = typeof body === 'object' && body !== null ? Object.entries(body) : [];
  const value = token.find(([key, text]) => (key === 'token' || key === 'access_token') && typeof text === 'string');
  return { kind: 'headers', headers: { authorization: `Bearer ${String(value?.[1])}` } };
}

/** Starts an upload and gives it up: what the registry says to it, it says to the daemon. Null when it takes it. */
async function tryUpload(
  base: string,
  target: PushTarget,
  headers: Record<string, string>,
): Promise<BuildProblem | null> {
  const { host } = target;
  const answer = await send('POST', `${base}/v2/${target.repository}/blobs/uploads/`, headers);
  if (answer.kind === 'unreachable') return { kind: 'registry-unreachable', host, reason: answer.reason };
  const { status } = answer.response;
  if (status === 401 || status === 403) return { kind: 'registry-auth-refused', host, status };
  if (!answer.response.ok) return { kind: 'registry-refused', host, status };
  const location = answer.response.headers.get('location');
  if (location !== null) await send('DELETE', new URL(location, base), headers);
  return null;
}

/** What keeps an image from being pushed there, or null when nothing does. */
export async function probePush(
  target: PushTarget,
  credentials: RegistryCredentials | undefined,
): Promise<BuildProblem | null> {
  const { base, answer } = await findBase(target);
  const { host } = target;
  if (answer.kind === 'unreachable') return { kind: 'registry-unreachable', host, reason: answer.reason };
  const authorization = await authorize(answer.response.headers.get('www-authenticate'), target, credentials);
  if (authorization.kind === 'refused') {
    return { kind: 'registry-auth-refused', host, status: authorization.status };
  }
  return tryUpload(base, target, authorization.headers);
}

/**
 * The first target that explains a failed export; the first of all when none does. Null when it was for no registry.
 * @param message What the daemon says of it.
 */
export async function diagnosePush(
  request: Pick<SolveRequest, 'exports' | 'cacheExports' | 'registryAuth'>,
  message: string,
): Promise<BuildProblem | null> {
  const targets = pushTargets(request);
  for (const target of targets) {
    const problem = await probePush(target, request.registryAuth(target.host));
    if (problem !== null) return problem;
  }
  const [first] = targets;
  return first === undefined ? null : { kind: 'push-failed', host: first.host, message };
}
