import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { downloadVerified, ReleaseUnreachable } from './download.ts';

const bytes = Buffer.alloc(300_000, 'the real archive ');
const sha256 = createHash('sha256').update(bytes).digest('hex');

let directory: string;
let server: Server;

beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'landfall-download-'));
});

afterEach(async () => {
  rmSync(directory, { recursive: true });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/archive.tar.gz`;
}

const target = (): string => path.join(directory, 'archive.tar.gz');

it('P70: keeps a download whose bytes have the pinned SHA-256, across a redirect', async () => {
  const url = await serve((request, response) => {
    if (request.url === '/archive.tar.gz') response.writeHead(302, { location: '/elsewhere' }).end();
    else response.end(bytes);
  });
  await downloadVerified({ url, sha256 }, target());
  expect(readFileSync(target()).equals(bytes)).toBe(true);
});

it('P70: refuses a download with other bytes, removes it and says both checksums', async () => {
  const forged = Buffer.from(bytes);
  forged[150_000] = 0;
  const url = await serve((_request, response) => response.end(forged));
  const refusal = await downloadVerified({ url, sha256 }, target()).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ name: 'StalledError', code: 'tool_checksum' });
  expect((refusal as Error).message).toContain(sha256);
  expect((refusal as Error).message).toContain(createHash('sha256').update(forged).digest('hex'));
  expect(existsSync(target())).toBe(false);
});

it('P70: refuses a download that ends early, even as a whole answer', async () => {
  const url = await serve((_request, response) => response.end(bytes.subarray(0, 1000)));
  await expect(downloadVerified({ url, sha256 }, target())).rejects.toMatchObject({ code: 'tool_checksum' });
  expect(existsSync(target())).toBe(false);
});

it('calls a release unreachable when the connection breaks midway', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 1000), () => response.destroy());
  });
  await expect(downloadVerified({ url, sha256 }, target())).rejects.toBeInstanceOf(ReleaseUnreachable);
  expect(existsSync(target())).toBe(false);
});

it('calls a release unreachable when there is none', async () => {
  const url = await serve((_request, response) => response.writeHead(404).end('not here'));
  await expect(downloadVerified({ url, sha256 }, target())).rejects.toThrow(/could not be downloaded: it answered 404/);
  expect(existsSync(target())).toBe(false);
});

it('gives up soon on a server that never answers', async () => {
  const url = await serve(() => undefined);
  const limits = { answerWithinMs: 50, silentAtMostMs: 50 };
  await expect(downloadVerified({ url, sha256 }, target(), { limits })).rejects.toThrow(/no answer came within 0.05 s/);
});

it('gives up soon on a server that falls silent', async () => {
  const url = await serve((_request, response) => response.write(bytes.subarray(0, 1000)));
  const limits = { answerWithinMs: 5_000, silentAtMostMs: 50 };
  await expect(downloadVerified({ url, sha256 }, target(), { limits })).rejects.toThrow(/no more bytes came/);
  expect(existsSync(target())).toBe(false);
});
