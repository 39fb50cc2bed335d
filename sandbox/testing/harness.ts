/** Starts a sandbox for one test, with an Octokit for its App and a receiver for its webhooks. */
import { execFile } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/rest';
import { gitEnvironment } from '../git/git.ts';
import { startSandbox, type Sandbox, type SandboxOptions } from '../server.ts';

export const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
});

export const appId = 4242;
export const webhookSecret = 'a webhook secret';
export const controlToken = 'a-token-for-the-control-api';

/** Payloads are read by tests as GitHub documents them, so without types. */
type Loose = ReturnType<typeof JSON.parse>;

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly event: string;
  readonly raw: string;
  readonly payload: Loose;
}

/** What stands at a dotted path of a payload. */
export function valueAt({ payload }: Received, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], payload);
}

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** What it answers from now on. */
  status: number;
  readonly named: (event: string) => Received[];
  readonly close: () => Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString();
      const payload = JSON.parse(raw) as Record<string, unknown>;
      const action = typeof payload['action'] === 'string' ? `.${payload['action']}` : '';
      received.push({
        headers: request.headers,
        event: `${String(request.headers['x-github-event'])}${action}`,
        raw,
        payload,
      });
      response.writeHead(receiver.status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`,
    received,
    status: 202,
    named: (event) => received.filter((each) => each.event === event),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return receiver;
}

export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'landfall-sandbox-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export function sandboxOptions(dataDir: string, changes: Partial<SandboxOptions> = {}): SandboxOptions {
  return {
    port: 0,
    dataDir,
    app: { id: appId, slug: 'landfall', privateKeyPublicPem: keys.publicKey },
    webhookUrl: null,
    webhookSecret,
    controlToken,
    ...changes,
  };
}

export function appOctokit(sandbox: Pick<Sandbox, 'apiUrl'>): Octokit {
  return new Octokit({
    baseUrl: sandbox.apiUrl,
    authStrategy: createAppAuth,
    auth: { appId, privateKey: keys.privateKey },
    log: quiet,
  });
}

export function installationOctokit(sandbox: Pick<Sandbox, 'apiUrl'>, installationId: number): Octokit {
  return new Octokit({
    baseUrl: sandbox.apiUrl,
    authStrategy: createAppAuth,
    auth: { appId, privateKey: keys.privateKey, installationId },
    log: quiet,
  });
}

export function tokenOctokit(sandbox: Pick<Sandbox, 'apiUrl'>, token: string): Octokit {
  return new Octokit({ baseUrl: sandbox.apiUrl, auth: token, log: quiet });
}

const silent = () => undefined;
const quiet = { debug: silent, info: silent, warn: silent, error: silent };

const run = promisify(execFile);

/** Real git, as a developer would run it. */
export async function git(directory: string, ...args: string[]): Promise<string> {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@users.noreply.github.com'];
  const { stdout } = await run('git', [...identity, ...args], {
    cwd: directory,
    env: { ...gitEnvironment, HOME: directory },
  });
  return stdout.trim();
}

export interface Stage {
  readonly sandbox: Sandbox;
  readonly receiver: Receiver;
  readonly folder: string;
  readonly owner: string;
  readonly repo: string;
  readonly repositoryId: number;
  readonly installationId: number;
  /** Acts as the App's installation. */
  readonly octokit: Octokit;
  readonly close: () => Promise<void>;
}

/** A sandbox with one private repository `acme/shop`, whose webhooks are received. */
export async function setStage(changes: Partial<SandboxOptions> = {}): Promise<Stage> {
  const [data, receiver] = await Promise.all([temporaryFolder(), startReceiver()]);
  const sandbox = await startSandbox(sandboxOptions(data.path, { webhookUrl: receiver.url, ...changes }));
  const files = { 'README.md': '# shop\n', 'src/index.js': 'console.log("hello");\n' };
  const repository = await sandbox.createRepository({ owner: 'acme', name: 'shop', files });
  await sandbox.deliveries.idle();
  const { installationId } = repository;
  if (installationId === null) throw new Error('A new repository is installed on.');
  return {
    sandbox,
    receiver,
    folder: data.path,
    owner: 'acme',
    repo: 'shop',
    repositoryId: repository.id,
    installationId,
    octokit: installationOctokit(sandbox, installationId),
    close: async () => {
      await sandbox.close();
      await receiver.close();
      await data.remove();
    },
  };
}

/** The status and body of a request that Octokit saw refused. */
export async function refusal(request: Promise<unknown>): Promise<{ status: number; data: Loose; headers: Loose }> {
  try {
    await request;
  } catch (error) {
    const { status, response } = error as { status: number; response?: { data: unknown; headers: unknown } };
    return { status, data: response?.data, headers: response?.headers };
  }
  throw new Error('The request was not refused.');
}

/** An App JWT with claims of the test's choosing; times in seconds. */
export function appJwt(claims: Record<string, unknown>, privateKey: string = keys.privateKey): string {
  const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), privateKey).toString('base64url')}`;
}
