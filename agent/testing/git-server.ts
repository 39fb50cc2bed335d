/** A git server for tests: real `git http-backend` behind a token, over one bare repository. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { run } from '../process/run.ts';

export interface TestGitServer {
  readonly cloneUrl: string;
  /** The repository on disk. */
  readonly bare: string;
  readonly token: string;
  /** Every Authorization header that came. */
  readonly authorizations: string[];
  /** Runs before a fetch is answered. */
  onFetch: () => Promise<void>;
  /** Commits a tree, made by `write` in an empty folder, on top of nothing; answers its SHA. */
  readonly commit: (write: (folder: string) => Promise<void>) => Promise<string>;
  readonly git: (args: readonly string[], cwd: string) => Promise<string>;
  readonly stop: () => Promise<void>;
}

const env = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.com',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.com',
};

export async function startGitServer(): Promise<TestGitServer> {
  const root = await mkdtemp(path.join(tmpdir(), 'landfall-git-'));
  const bare = path.join(root, 'acme', 'app.git');
  const token = 'ghs_canary0123456789abcdefCANARY';
  const wanted = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
  const git = async (args: readonly string[], cwd: string): Promise<string> => {
    const result = await run({ argv: ['git', ...args], env, cwd, deadlineMs: 30_000 });
    if (result.code !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr}`);
    return result.stdout.trim();
  };
  await mkdir(bare, { recursive: true });
  await git(['init', '--quiet', '--bare', '.'], bare);
  await git(['config', 'uploadpack.allowAnySHA1InWant', 'true'], bare);

  const plain = {
    bare,
    token,
    authorizations: [] as string[],
    onFetch: () => Promise.resolve(),
    git,
    commit: async (write: (folder: string) => Promise<void>) => {
      const folder = await mkdtemp(path.join(root, 'tree-'));
      await git(['init', '--quiet', '-b', 'main', '.'], folder);
      await write(folder);
      await git(['add', '--all', '--force'], folder);
      await git(['commit', '--quiet', '--allow-empty', '-m', 'A change'], folder);
      await git(['push', '--quiet', '--force', bare, 'HEAD:refs/heads/main'], folder);
      return await git(['rev-parse', 'HEAD'], folder);
    },
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { authorization } = request.headers;
    if (authorization !== undefined) plain.authorizations.push(authorization);
    if (authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    await plain.onFetch();
    await backend(root, request, response);
  };
  const server = createServer((request, response) => void serve(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The git server has no port.');
  return Object.assign(plain, {
    cloneUrl: `http://127.0.0.1:${address.port}/acme/app.git`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await rm(root, { recursive: true, force: true });
    },
  });
}

/** One CGI request. */
async function backend(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [pathInfo = '', query = ''] = (request.url ?? '').split('?');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...env,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method,
      PATH_INFO: pathInfo,
      QUERY_STRING: query,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: request.headers['git-protocol']?.toString() ?? '',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin);
  const output = await buffer(child.stdout);
  const split = output.indexOf('\r\n\r\n');
  const headers = output
    .toString('utf8', 0, split)
    .split('\r\n')
    .map((line) => line.split(': ', 2));
  const status = headers.find(([name]) => name === 'Status')?.[1] ?? '200';
  response.statusCode = Number.parseInt(status, 10);
  for (const [name, value] of headers)
    if (name !== undefined && name !== 'Status') response.setHeader(name, value ?? '');
  response.end(output.subarray(split + 4));
}
