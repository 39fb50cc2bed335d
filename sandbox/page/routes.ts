/** The sandbox's pages, their forms, and the stream that tells them to refresh. */
import { readFileSync } from 'node:fs';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { commands } from '../control/commands.ts';
import { ensureUser, ImpossibleRequest } from '../actions/users.ts';
import type { Repository, User } from '../state/model.ts';
import { findRenamed, findRepository, findUser, fullName, type World } from '../world.ts';
import { encode } from './html.ts';
import { contentSecurityPolicy } from './layout.ts';
import { missingPage, repositoriesPage, repositoryPage } from './repository.ts';
import { peopleOf, repositoryView } from './view.ts';

type Fields = Readonly<Partial<Record<string, string>>>;

interface RepositoryParams {
  readonly owner: string;
  readonly repo: string;
}

const assets: Readonly<Record<string, string>> = {
  'page.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
};

const refreshMilliseconds = 150;
const firstVisitor = 'ada';

/** From the cookie, else the first person there is. */
function visitorOf(world: World, request: FastifyRequest): User {
  const login = /(?:^|;\s*)visitor=([A-Za-z0-9-]+)/.exec(request.headers.cookie ?? '')?.[1];
  const known = login === undefined ? undefined : findUser(world, login);
  return known ?? peopleOf(world)[0] ?? ensureUser(world, firstVisitor);
}

function sendPage(reply: FastifyReply, status: number, page: string): FastifyReply {
  return reply
    .code(status)
    .headers({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
    })
    .send(page);
}

/** Neither a page of another site nor a program that is no browser posts here in the visitor's name. */
function isForeign(request: FastifyRequest): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return true;
  return !URL.canParse(origin) || new URL(origin).host !== request.headers.host;
}

function requireField(fields: Fields, name: string): string {
  const value = fields[name];
  if (value === undefined || value.trim() === '') throw new ImpossibleRequest(`The form lacks "${name}".`);
  return value;
}

interface Submission {
  readonly repository: Repository;
  readonly fields: Fields;
  readonly visitor: User;
}

/** What each form does; the answer is the part of the page to return to. */
const forms: Readonly<Record<string, (world: World, submission: Submission) => Promise<string>>> = {
  _comment: async (world, { repository, fields, visitor }) => {
    const number = Number(requireField(fields, 'number'));
    const body = requireField(fields, 'body').replaceAll('\r\n', '\n');
    await commands.comment.run(world, { repositoryId: repository.id, number, author: visitor.login, body });
    return `pull-${number}`;
  },
  _pull: async (world, { repository, fields, visitor }) => {
    const [title, head] = [requireField(fields, 'title'), requireField(fields, 'head')];
    const input = { repositoryId: repository.id, author: visitor.login, title, head };
    const { number } = await commands.openPull.run(world, input);
    return `pull-${number}`;
  },
  _merge: async (world, { repository, fields, visitor }) => {
    const number = Number(requireField(fields, 'number'));
    await commands.mergePull.run(world, { repositoryId: repository.id, number, by: visitor.login });
    return `pull-${number}`;
  },
  _close: async (world, { repository, fields, visitor }) => {
    const number = Number(requireField(fields, 'number'));
    await commands.closePull.run(world, { repositoryId: repository.id, number, by: visitor.login });
    return `pull-${number}`;
  },
  _rerun: async (world, { fields, visitor }) => {
    const checkRunId = Number(requireField(fields, 'check'));
    await commands.rerequestCheck.run(world, { checkRunId, by: visitor.login });
    return `check-${checkRunId}`;
  },
  _press: async (world, { fields, visitor }) => {
    const checkRunId = Number(requireField(fields, 'check'));
    const identifier = requireField(fields, 'identifier');
    await commands.pressCheckButton.run(world, { checkRunId, by: visitor.login, identifier });
    return `check-${checkRunId}`;
  },
};

function parseForm(body: string): Fields {
  return Object.fromEntries(new URLSearchParams(body));
}

/** One line a change, at most every few milliseconds, until the reader leaves. */
function streamChanges(world: World, reply: FastifyReply): void {
  void reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  raw.write(': ready\n\n');
  let pending: NodeJS.Timeout | undefined;
  const onChange = () => {
    pending ??= setTimeout(() => {
      pending = undefined;
      raw.write('data: change\n\n');
    }, refreshMilliseconds);
  };
  world.changes.on('change', onChange);
  raw.on('close', () => {
    clearTimeout(pending);
    world.changes.off('change', onChange);
  });
}

function avatar(user: User): string {
  const hue = (user.id * 47) % 360;
  const letter = encode(user.login.charAt(0).toUpperCase());
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20"><rect width="20" height="20" rx="10" fill="hsl(${hue} 55% 45%)"/><text x="10" y="14.5" text-anchor="middle" font-family="sans-serif" font-size="12" fill="#fff">${letter}</text></svg>`;
}

export function pageRoutes(world: World) {
  return (instance: FastifyInstance): void => {
    instance.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
      done(null, parseForm(body.toString())),
    );
    instance.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
      const status = error instanceof ImpossibleRequest ? 400 : (error.statusCode ?? 500);
      if (status >= 500) request.log.error(error);
      return reply.code(status).type('text/plain; charset=utf-8').send(`${error.message}\n`);
    });
    staticRoutes(world, instance);
    visitorRoutes(world, instance);
    repositoryRoutes(world, instance);
  };
}

function staticRoutes(world: World, instance: FastifyInstance): void {
  for (const [name, type] of Object.entries(assets))
    instance.get(`/_assets/${name}`, (_request, reply) =>
      reply.type(type).send(readFileSync(new URL(`./assets/${name}`, import.meta.url))),
    );
  instance.get('/_avatars/:id', (request, reply) => {
    const user = world.tables.users.find(Number((request.params as { id: string }).id));
    if (user === undefined) return reply.code(404).send();
    return reply.type('image/svg+xml').send(avatar(user));
  });
}

function visitorRoutes(world: World, instance: FastifyInstance): void {
  instance.get('/', (request, reply) => sendPage(reply, 200, repositoriesPage(world, visitorOf(world, request))));
  instance.get('/_events', (_request, reply) => streamChanges(world, reply));
  instance.post('/_visitor', (request, reply) => {
    if (isForeign(request)) return reply.code(403).send();
    const fields = request.body as Fields;
    const { login } = ensureUser(world, requireField(fields, 'login').trim());
    const back = /^\/[\w.-]+\/[\w.-]+$/.exec(fields['back'] ?? '')?.[0] ?? '/';
    return reply.header('set-cookie', `visitor=${login}; Path=/; HttpOnly; SameSite=Strict`).redirect(back, 303);
  });
}

function repositoryRoutes(world: World, instance: FastifyInstance): void {
  const find = (request: FastifyRequest) => {
    const { owner, repo } = request.params as RepositoryParams;
    return findRepository(world, owner, repo) ?? findRenamed(world, owner, repo);
  };
  instance.get('/:owner/:repo', async (request, reply) => {
    const repository = find(request);
    const visitor = visitorOf(world, request);
    if (repository === undefined) return sendPage(reply, 404, missingPage(world, visitor));
    const { owner, repo } = request.params as RepositoryParams;
    const name = fullName(world, repository);
    if (name.toLowerCase() !== `${owner}/${repo}`.toLowerCase()) return reply.redirect(`/${name}`, 301);
    return sendPage(reply, 200, repositoryPage(await repositoryView(world, repository, visitor)));
  });
  instance.get('/:owner/:repo/_events', (_request, reply) => streamChanges(world, reply));
  // Addresses that the API hands out, each a part of the one page.
  for (const [path, part] of [
    ['pull/:id', 'pull'],
    ['issues/:id', 'pull'],
    ['commit/:id', 'commit'],
    ['runs/:id', 'check'],
  ] as const)
    instance.get(`/:owner/:repo/${path}`, (request, reply) => {
      const repository = find(request);
      if (repository === undefined) return sendPage(reply, 404, missingPage(world, visitorOf(world, request)));
      const { id } = request.params as { id: string };
      return reply.redirect(`/${fullName(world, repository)}#${part}-${encodeURIComponent(id)}`, 302);
    });
  for (const [name, submit] of Object.entries(forms))
    instance.post(`/:owner/:repo/${name}`, async (request, reply) => {
      const repository = find(request);
      if (isForeign(request)) return reply.code(403).send();
      if (repository === undefined) return sendPage(reply, 404, missingPage(world, visitorOf(world, request)));
      const submission = { repository, fields: request.body as Fields, visitor: visitorOf(world, request) };
      return reply.redirect(`/${fullName(world, repository)}#${await submit(world, submission)}`, 303);
    });
}
