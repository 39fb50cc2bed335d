/** Answers one REST request: finds the operation, applies faults, checks who asks and what, and validates both ways. */
import { createHash } from 'node:crypto';
import type { LimitFault } from '../faults.ts';
import { operationDescription } from '../openapi/description.ts';
import { assertAnswer, assertRefusal, requestErrors, type RequestPart } from '../openapi/validator.ts';
import type { Repository } from '../state/model.ts';
import { findRenamed, findRepository, fullName, type World } from '../world.ts';
import { authorize, reaches } from './access.ts';
import { authenticate, type Actor } from './credentials.ts';
import type { Answer, Call, InstallationCall, Operation, RepositoryCall } from './operation.ts';
import { primaryLimitMessage, quotaHeaders, secondaryRefusal } from './rate-limits.ts';
import { holderOf } from './quota-holder.ts';
import { notFound, Refusal, requiresAuthentication } from './refusal.ts';
import { invalidRequest } from './request-errors.ts';
import { isWrite } from './request-log.ts';
import type { RouteMatch, Router } from './router.ts';

export interface RestRequest {
  readonly method: string;
  readonly url: URL;
  /** After the API's base, percent-encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface RestResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const documentationHome = 'https://docs.github.com/rest';

/** What is known of a request so far; refusals are answered with it. */
interface Progress {
  actor: Actor;
  operation: Operation | null;
}

export class Dispatcher {
  readonly #world: World;
  readonly #router: Router;

  constructor(world: World, router: Router) {
    this.#world = world;
    this.#router = router;
  }

  async answer(request: RestRequest): Promise<RestResponse> {
    const started = performance.now();
    const at = this.#world.now();
    const progress: Progress = { actor: { kind: 'anonymous' }, operation: null };
    const answer = await this.#answerOrRefuse(request, progress);
    const response = this.#encode(request, answer, progress);
    const operation = progress.operation?.id ?? null;
    this.#world.requests.add({
      at,
      method: request.method,
      path: request.path,
      operation,
      status: response.status,
      milliseconds: Math.round(performance.now() - started),
      installationId: progress.actor.kind === 'installation' ? progress.actor.installation.id : null,
      actor: nameOf(progress.actor),
      write: isWrite(request.method, operation),
    });
    return response;
  }

  async #answerOrRefuse(request: RestRequest, progress: Progress): Promise<Answer> {
    try {
      const answer = await this.#handle(request, progress);
      verify(progress, answer);
      return answer;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const id = progress.operation?.id;
      const documentation = id === undefined ? documentationHome : operationDescription(id).documentation;
      const body = error.body(documentation);
      if (id !== undefined && error.status !== 502) assertRefusal(id, error.status, body);
      return { status: error.status, body, headers: error.details.headers ?? {} };
    }
  }

  async #handle(request: RestRequest, progress: Progress): Promise<Answer> {
    requireUserAgent(request);
    const { path, byId } = this.#resolveIds(request.path);
    const match = this.#router.find(request.method, path);
    progress.operation = match?.operation ?? null;
    const subjects = faultSubjects(request, match);
    await this.#injectBefore(request, subjects);
    progress.actor = authenticate(this.#world, header(request, 'authorization'));
    if (match === null) throw unserved(request);
    const limits = { holder: holderOf(progress.actor), operation: match.operation.id, method: request.method };
    this.#injectLimits(subjects, limits.holder);
    if (match.operation.id !== 'rate-limit/get') this.#world.limits.spend({ ...limits, now: this.#world.now() });
    const answer = await this.#call(request, { match, actor: progress.actor, byId });
    if (this.#world.faults.take('bad_gateway_after_commit', subjects) !== undefined)
      throw new Refusal(502, 'Server Error', { documentation: documentationHome });
    return answer;
  }

  /** `/repositories/{id}/…` is `/repos/{owner}/{repo}/…` whatever it is called now. */
  #resolveIds(path: string): { path: string; byId: Repository | null } {
    const found = /^\/repositories\/(\d+)(\/.*)?$/.exec(path);
    if (found === null) return { path, byId: null };
    const repository = this.#world.tables.repositories.find(Number(found[1]));
    if (repository === undefined) throw notFound();
    return { path: `/repos/${fullName(this.#world, repository)}${found[2] ?? ''}`, byId: repository };
  }

  async #injectBefore(request: RestRequest, subjects: readonly string[]): Promise<void> {
    const { faults } = this.#world;
    const latency = faults.take('latency', subjects);
    if (latency !== undefined) await new Promise((resolve) => setTimeout(resolve, latency.milliseconds));
    if (header(request, 'authorization') !== undefined && faults.take('expired_token', subjects) !== undefined)
      throw new Refusal(401, 'Bad credentials', { documentation: documentationHome });
  }

  #injectLimits(subjects: readonly string[], holder: string): void {
    const primary = this.#world.faults.take('primary_limit', subjects);
    if (primary !== undefined)
      throw new Refusal(primary.status, primaryLimitMessage(holder), { headers: this.#limitHeaders(primary) });
    const secondary = this.#world.faults.take('secondary_limit', subjects);
    if (secondary !== undefined) throw secondaryRefusal(secondary.status, this.#limitHeaders(secondary));
  }

  #limitHeaders(fault: LimitFault): Record<string, string> {
    const { requestsPerHour } = this.#world.limits.limits;
    const reset = Math.ceil(this.#world.now() / 1000) + (fault.reset ?? 0);
    const quota = quotaHeaders({ limit: requestsPerHour, used: requestsPerHour, remaining: 0, reset });
    return {
      ...(fault.retryAfter === null ? {} : { 'retry-after': String(fault.retryAfter) }),
      ...(fault.reset === null ? { 'x-ratelimit-remaining': '' } : quota),
    };
  }

  async #call(
    request: RestRequest,
    { match, actor, byId }: { match: RouteMatch; actor: Actor; byId: Repository | null },
  ) {
    const { operation } = match;
    switch (operation.access) {
      case 'app':
        if (actor.kind !== 'app') throw new Refusal(401, 'A JSON web token could not be decoded');
        return operation.handle(this.#validated(request, match, actor));
      case 'account':
        return operation.handle(this.#validated(request, match, actor));
      case 'installation': {
        if (actor.kind === 'anonymous') throw requiresAuthentication();
        if (actor.kind !== 'installation')
          throw new Refusal(
            403,
            'You must authenticate with an installation access token in order to list repositories for an installation.',
          );
        if (actor.installation.suspendedAt !== null) throw new Refusal(403, 'This installation has been suspended');
        const call: InstallationCall<never> = { ...this.#validated(request, match, actor), actor };
        return operation.handle(call);
      }
      case 'repository': {
        const repository = byId ?? this.#requireRepository(request, match, actor);
        const allowed = authorize(this.#world, { actor, repository, needs: operation.needs });
        const call: RepositoryCall<never> = { ...this.#validated(request, match, actor), actor: allowed, repository };
        return operation.handle(call);
      }
    }
  }

  #requireRepository(request: RestRequest, { params }: RouteMatch, actor: Actor): Repository {
    const [ownerLogin, name] = [params['owner'] ?? '', params['repo'] ?? ''];
    const found = findRepository(this.#world, ownerLogin, name);
    if (found !== undefined) return found;
    const renamed = findRenamed(this.#world, ownerLogin, name);
    const isVisible = actor.kind === 'user' || (actor.kind === 'installation' && renamed && reaches(actor, renamed));
    if (renamed === undefined || !isVisible) throw actor.kind === 'anonymous' ? requiresAuthentication() : notFound();
    throw this.#moved(request, renamed);
  }

  /** GitHub keeps the method of a write by answering 307 instead of 301. */
  #moved(request: RestRequest, repository: Repository): Refusal {
    const rest = request.path.split('/').slice(4).join('/');
    const url = `${this.#world.apiUrl}/repositories/${repository.id}${rest === '' ? '' : `/${rest}`}${request.url.search}`;
    const permanent = request.method === 'GET' || request.method === 'HEAD';
    const message = permanent ? 'Moved Permanently' : 'Temporary Redirect';
    return new Refusal(permanent ? 301 : 307, message, { url, headers: { location: url } });
  }

  #validated(request: RestRequest, { operation, params }: RouteMatch, actor: Actor): Call<never> {
    const query: Record<string, unknown> = Object.fromEntries(request.url.searchParams);
    const body = parseBody(request, operation);
    const parts: readonly [RequestPart, unknown][] = [
      ['path', params],
      ['query', query],
      ...(body === undefined ? [] : [['body', body] as [RequestPart, unknown]]),
    ];
    for (const [part, value] of parts) {
      const errors = requestErrors(operation.id, part, value);
      if (errors.length > 0) throw part === 'path' ? notFound() : invalidRequest(operation.id, errors);
    }
    const accept = (header(request, 'accept') ?? '').toLowerCase();
    // The one place where a request becomes typed: what was just validated is what the types describe.
    const validated: unknown = { params, query, body };
    return {
      world: this.#world,
      ...(validated as Pick<Call<never>, 'params' | 'query' | 'body'>),
      accept,
      url: request.url,
      actor,
    };
  }

  #encode(request: RestRequest, answer: Answer, { actor, operation }: Progress): RestResponse {
    const quota = this.#world.limits.quota(holderOf(actor), this.#world.now());
    const { body, type } = encodeBody(answer.body);
    const headers = stripEmpty({
      'x-github-media-type': 'github.v3; format=json',
      'x-github-api-version-selected': '2022-11-28',
      ...quotaHeaders(quota),
      'cache-control': 'private, max-age=60, s-maxage=60',
      ...(type === null ? {} : { 'content-type': type }),
      ...acceptedPermissions(operation),
      ...answer.headers,
    });
    if (request.method !== 'GET' || answer.status !== 200) return { status: answer.status, headers, body };
    const etag = `W/"${createHash('sha256').update(body).digest('hex')}"`;
    if (header(request, 'if-none-match') === etag)
      return { status: 304, headers: { ...headers, etag }, body: Buffer.alloc(0) };
    return { status: 200, headers: { ...headers, etag }, body };
  }
}

function verify({ operation }: Progress, { status, body }: Answer): void {
  if (operation === null || typeof body === 'string' || Buffer.isBuffer(body)) return;
  assertAnswer(operation.id, status, body);
}

function header(request: RestRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function requireUserAgent(request: RestRequest): void {
  if (header(request, 'user-agent') === undefined)
    throw new Refusal(
      403,
      'Request forbidden by administrative rules. Please make sure your request has a User-Agent header',
    );
  const version = header(request, 'x-github-api-version');
  if (version !== undefined && !/^\d{4}-\d{2}-\d{2}$/.test(version))
    throw new Refusal(400, `The version ${version} of the API is not supported.`);
}

function faultSubjects({ method, path }: RestRequest, match: RouteMatch | null): string[] {
  const subject = `${method} ${path}`;
  return match === null ? [subject] : [match.operation.id, subject];
}

/** Loud on purpose: GitHub may well serve it, and then the sandbox should too. */
function unserved({ method, path }: RestRequest): Refusal {
  return new Refusal(404, `Not Found: the sandbox does not serve ${method} ${path}`);
}

function parseBody(request: RestRequest, { id }: Operation): unknown {
  const described = operationDescription(id).body;
  if (request.method === 'GET' || request.method === 'HEAD' || request.method === 'DELETE') return undefined;
  if (request.body.length === 0) return described?.required === true ? {} : undefined;
  try {
    const parsed: unknown = JSON.parse(request.body.toString());
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch (error) {
    if (error instanceof SyntaxError) throw new Refusal(400, 'Problems parsing JSON');
    throw error;
  }
  throw new Refusal(400, 'Body should be a JSON object');
}

/** Tells an App which of its permissions an operation takes. */
function acceptedPermissions(operation: Operation | null): Record<string, string> {
  if (operation?.access !== 'repository') return {};
  const needs = operation.needs.map(({ permission, level }) => `${permission}=${level}`);
  return { 'x-accepted-github-permissions': needs.join('; ') };
}

function encodeBody(body: unknown): { body: Buffer; type: string | null } {
  if (body === undefined) return { body: Buffer.alloc(0), type: null };
  if (Buffer.isBuffer(body)) return { body, type: 'application/vnd.github.raw; charset=utf-8' };
  if (typeof body === 'string') return { body: Buffer.from(body), type: 'text/plain; charset=utf-8' };
  return { body: Buffer.from(JSON.stringify(body)), type: 'application/json; charset=utf-8' };
}

/** A fault may ask for the quota headers to be absent; an empty value stands for that. */
function stripEmpty(headers: Record<string, string>): Record<string, string> {
  const isHidden = headers['x-ratelimit-remaining'] === '';
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isHidden || !name.startsWith('x-ratelimit-')));
}

function nameOf(actor: Actor): string {
  return actor.kind === 'user' || actor.kind === 'installation' ? actor.user.login : actor.kind;
}
