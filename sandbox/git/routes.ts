/** Git over HTTP: who may fetch and push, and what follows from a push. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { followPush } from '../actions/pushes.ts';
import { permits, reaches, roleIncludes, roleOf } from '../http/access.ts';
import { authenticateBasic, type InstallationActor, type UserActor } from '../http/credentials.ts';
import { Refusal } from '../http/refusal.ts';
import { cloneUrl } from '../present/repository.ts';
import type { Repository, User } from '../state/model.ts';
import { findRenamed, findRepository, fullName, type World } from '../world.ts';
import { runBackend } from './http-backend.ts';

type Service = 'git-upload-pack' | 'git-receive-pack';

interface GitParams {
  readonly owner: string;
  readonly repo: string;
}

function plain(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(`${text}\n`);
}

type Verdict =
  | { readonly kind: 'allowed'; readonly user: User | null }
  | { readonly kind: 'refused'; readonly status: 401 | 403 | 404; readonly text: string };

const unauthenticated: Verdict = { kind: 'refused', status: 401, text: 'Invalid username or token.' };
const invisible: Verdict = { kind: 'refused', status: 404, text: 'Repository not found.' };

function authorizeInstallation(actor: InstallationActor, repository: Repository, service: Service): Verdict {
  if (!reaches(actor, repository) || actor.installation.suspendedAt !== null) return invisible;
  const level = service === 'git-upload-pack' ? 'read' : 'write';
  if (!permits(actor.token.permissions, { permission: 'contents', level }))
    return { kind: 'refused', status: 403, text: 'Write access to repository not granted.' };
  return { kind: 'allowed', user: actor.user };
}

function authorizeUser(
  world: World,
  actor: UserActor,
  { repository, service }: { repository: Repository; service: Service },
): Verdict {
  const role = roleOf(world, repository, actor.user);
  if (role === null) return invisible;
  if (service === 'git-upload-pack' || roleIncludes(role, 'write')) return { kind: 'allowed', user: actor.user };
  const text = `Permission to ${fullName(world, repository)}.git denied to ${actor.user.login}.`;
  return { kind: 'refused', status: 403, text };
}

function judge(
  world: World,
  request: FastifyRequest,
  { repository, service }: { repository: Repository | undefined; service: Service },
): Verdict {
  const hasCredentials = request.headers.authorization !== undefined;
  if (hasCredentials && world.faults.take('expired_token', [`git/${service.slice(4)}`]) !== undefined)
    return unauthenticated;
  let actor: InstallationActor | UserActor | null;
  try {
    actor = authenticateBasic(world, request.headers.authorization);
  } catch (error) {
    if (error instanceof Refusal) return unauthenticated;
    throw error;
  }
  if (actor === null) {
    const isOpen = repository !== undefined && !repository.private && service === 'git-upload-pack';
    return isOpen ? { kind: 'allowed', user: null } : unauthenticated;
  }
  if (repository === undefined) return invisible;
  return actor.kind === 'installation'
    ? authorizeInstallation(actor, repository, service)
    : authorizeUser(world, actor, { repository, service });
}

async function injectLatency(world: World, service: Service): Promise<void> {
  const latency = world.faults.take('latency', [`git/${service.slice(4)}`]);
  if (latency !== undefined) await new Promise((resolve) => setTimeout(resolve, latency.milliseconds));
}

interface GitCall {
  readonly repository: Repository;
  readonly service: Service;
  readonly user: User | null;
  readonly inside: string;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

async function pass(world: World, { repository, user, inside, incoming, outgoing }: GitCall): Promise<void> {
  const query = (incoming.url ?? '').split('?')[1] ?? '';
  const backend = await runBackend({
    root: world.git.root,
    path: `/${world.git.folder(repository.id)}/${inside}`,
    query,
    incoming,
    user: user?.login ?? 'anonymous',
  });
  outgoing.writeHead(backend.status, backend.headers);
  await pipeline(backend.body, outgoing, { end: false });
  await backend.ended;
}

/** The client hears the end of a push after pull requests and activity have followed it. */
async function serve(world: World, call: GitCall): Promise<void> {
  const { user, inside, outgoing } = call;
  if (inside !== 'git-receive-pack' || user === null) await pass(world, call);
  else
    await world.git.write(call.repository.id, {
      change: () => pass(world, call),
      follow: async (changes) => {
        const repository = world.tables.repositories.find(call.repository.id);
        if (repository !== undefined) await followPush(world, { repository, changes, sender: user });
      },
    });
  outgoing.end();
}

function serviceOf(inside: string, query: unknown): Service | null {
  const name = inside === 'info/refs' ? (query as { service?: string }).service : inside;
  return name === 'git-upload-pack' || name === 'git-receive-pack' ? name : null;
}

export function gitRoutes(world: World) {
  return (instance: FastifyInstance): void => {
    // Bodies are streamed to git as they come.
    instance.removeAllContentTypeParsers();
    instance.addContentTypeParser('*', (_request, _payload, done) => done(null));
    const handler = (inside: string) => (request: FastifyRequest, reply: FastifyReply) =>
      handle(world, { request, reply, inside });
    instance.get('/:owner/:repo/info/refs', handler('info/refs'));
    instance.post('/:owner/:repo/git-upload-pack', handler('git-upload-pack'));
    instance.post('/:owner/:repo/git-receive-pack', handler('git-receive-pack'));
  };
}

async function handle(
  world: World,
  { request, reply, inside }: { request: FastifyRequest; reply: FastifyReply; inside: string },
): Promise<FastifyReply> {
  const params = request.params as GitParams;
  const name = params.repo.replace(/\.git$/, '');
  const service = serviceOf(inside, request.query);
  if (service === null) return plain(reply, 403, 'Please upgrade your git client.');
  await injectLatency(world, service);
  const repository = findRepository(world, params.owner, name) ?? findRenamed(world, params.owner, name);
  const verdict = judge(world, request, { repository, service });
  if (verdict.kind === 'refused') {
    if (verdict.status === 401) void reply.header('www-authenticate', 'Basic realm="GitHub"');
    return plain(reply, verdict.status, verdict.text);
  }
  if (repository === undefined) return plain(reply, 404, 'Repository not found.');
  if (findRepository(world, params.owner, name) === undefined)
    return reply.redirect(
      `${cloneUrl(world, repository)}/${inside}${request.url.slice(request.url.indexOf('?'))}`,
      301,
    );
  void reply.hijack();
  try {
    await serve(world, { repository, service, user: verdict.user, inside, incoming: request.raw, outgoing: reply.raw });
  } catch (error) {
    reply.raw.destroy(error instanceof Error ? error : new Error(String(error)));
  }
  return reply;
}
