/** Runs git's own smart-HTTP server (CGI) on one repository, streaming both ways. */
import { spawn } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { gitEnvironment } from './git.ts';

export interface BackendRequest {
  readonly root: string;
  /** The repository's folder and the path inside it, such as `/300001.git/info/refs`. */
  readonly path: string;
  readonly query: string;
  readonly incoming: IncomingMessage;
  readonly user: string;
}

export interface BackendResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
  /** Resolves when git has ended, so when refs have moved. */
  readonly ended: Promise<void>;
}

function cgiEnvironment({ root, path, query, incoming, user }: BackendRequest): Record<string, string> {
  const optional = {
    CONTENT_TYPE: incoming.headers['content-type'],
    CONTENT_LENGTH: incoming.headers['content-length'],
    HTTP_CONTENT_ENCODING: incoming.headers['content-encoding'],
    GIT_PROTOCOL: incoming.headers['git-protocol'],
  };
  const given = Object.entries(optional).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return {
    ...gitEnvironment,
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: path,
    QUERY_STRING: query,
    REQUEST_METHOD: incoming.method ?? 'GET',
    REMOTE_USER: user,
    REMOTE_ADDR: '127.0.0.1',
    ...Object.fromEntries(given),
  };
}

function parseHead(head: string): Pick<BackendResponse, 'status' | 'headers'> {
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of head.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon === -1) continue;
    const [name, value] = [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    if (name === 'status') status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  return { status, headers };
}

/** Resolves with the head of the answer; the body follows as git writes it. */
export function runBackend(request: BackendRequest): Promise<BackendResponse> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['http-backend'], { env: cgiEnvironment(request) });
    const body = new PassThrough();
    const errors: Buffer[] = [];
    let head: Buffer | null = Buffer.alloc(0);
    const ended = new Promise<void>((done) => child.on('close', () => done()));
    child.on('error', reject);
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.stdin.on('error', () => child.stdin.destroy());
    request.incoming.pipe(child.stdin);
    request.incoming.on('aborted', () => child.kill());
    child.stdout.on('data', (chunk: Buffer) => {
      if (head === null) {
        if (!body.write(chunk)) child.stdout.pause();
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      body.write(head.subarray(end + 4));
      const parsed = parseHead(head.subarray(0, end).toString());
      head = null;
      resolve({ ...parsed, body, ended });
    });
    body.on('drain', () => child.stdout.resume());
    body.on('close', () => child.stdout.resume());
    child.stdout.on('end', () => body.end());
    child.on('close', (code) => {
      if (head !== null)
        reject(new Error(`git http-backend ended with ${String(code)}: ${Buffer.concat(errors).toString()}`));
    });
  });
}
