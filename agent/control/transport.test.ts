import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import Type from 'typebox';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apiErrors, type ApiErrorCode } from '../../platform/errors/api-codes.ts';
import { generateKeyPair } from '../../platform/crypto/keys.ts';
import { splitTarget } from '../../platform/signature/sign.ts';
import { verifySignature } from '../../platform/signature/verify.ts';
import { ControlRefused, ControlUnreachable, isTransient } from './errors.ts';
import { signer } from './sign.ts';
import { answerParser, controlTransport, type Transport } from './transport.ts';

const key = generateKeyPair('Ed25519');
let server: Server;
let transport: Transport;
let answer: (request: IncomingMessage, response: ServerResponse, body: string) => void;

beforeEach(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => answer(request, response, body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  transport = controlTransport(`http://127.0.0.1:${port}`, signer('node-1', key));
});

afterEach(async () => {
  transport.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const refuse = (code: ApiErrorCode, headers: Record<string, string> = {}) => {
  answer = (_request, response) => {
    response.writeHead(apiErrors[code].status, headers);
    response.end(JSON.stringify({ error: { code, message: apiErrors[code].message, hint: null } }));
  };
};
const call = (body?: unknown) =>
  transport.call({ method: body === undefined ? 'GET' : 'POST', path: '/api/v1/x?wait=1', body, deadlineMs: 2_000 });
const refusalOf = (given: unknown) => transport.call(given as never).catch((error: unknown) => error);

describe('a request to the control plane', () => {
  it('P63: is signed over method, path, query and body, with a nonce of its own', async () => {
    const nonces: string[] = [];
    answer = (request, response, body) => {
      void verifySignature({
        ...{ method: request.method ?? '', ...splitTarget(request.url ?? ''), headers: request.headers },
        ...{ body: Buffer.from(body), publicKeyFor: () => key.publicKey, now: new Date() },
      }).then((verified) => {
        if (verified.ok) nonces.push(verified.nonce);
        response.writeHead(verified.ok ? 200 : 401).end('{}');
      });
    };
    await call();
    await call({ hello: 'grüße' });
    expect(new Set(nonces).size).toBe(2);
  });

  it('gives status, body and ETag; 304 is an answer', async () => {
    answer = (_request, response) => response.writeHead(304, { etag: '"7"' }).end();
    expect(await call()).toEqual({ status: 304, etag: '"7"', body: '' });
  });

  it('fails by the code of the API, and says whether it is worth another try', async () => {
    refuse('lease_lost');
    const lost = await call({}).catch((error: unknown) => error);
    expect(lost).toMatchObject({ status: 409, code: 'lease_lost', message: apiErrors.lease_lost.message });
    refuse('unavailable');
    const away = await call({}).catch((error: unknown) => error);
    expect([isTransient(lost), isTransient(away)]).toEqual([false, true]);
  });

  it('says by how much the clock is wrong', async () => {
    const date = new Date(Date.now() + 300_000).toUTCString();
    refuse('signature_stale', { date });
    const error = await call().catch((caught: unknown) => caught);
    expect((error as Error).message).toMatch(
      /check the clock of the node\. This node's clock is (299|300|301) s behind the control plane's; let NTP set it\.$/,
    );
  });

  it('takes what a machine between answers as an error without a code', async () => {
    answer = (_request, response) => response.writeHead(502).end('<html>Bad gateway</html>');
    const error = await call().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ControlRefused);
    expect(error).toMatchObject({ status: 502, code: null, message: 'The control plane answered 502.' });
  });

  it('P03: ends at its deadline when nobody answers', async () => {
    answer = () => undefined;
    const error = await refusalOf({ method: 'GET', path: '/', deadlineMs: 50 });
    expect(error).toBeInstanceOf(ControlUnreachable);
    expect((error as Error).message).toMatch(/GET \/ took longer than 50 ms/);
  });

  it('says that nobody listens', async () => {
    const nowhere = controlTransport('http://127.0.0.1:1', () => ({}));
    const error = await nowhere
      .call({ method: 'GET', path: '/', deadlineMs: 1_000 })
      .catch((caught: unknown) => caught);
    expect((error as Error).message).toMatch(
      /^The control plane at http:\/\/127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/,
    );
  });

  it('does not take a loopback for an address of this machine', async () => {
    answer = (_request, response) => response.end('{}');
    await call();
    expect(transport.localAddress()).toBeNull();
  });
});

describe('an answer', () => {
  const parse = answerParser('a thing', Type.Object({ id: Type.String() }));

  it('is taken with fields that this agent does not know', () => {
    expect(parse('{"id":"1","new":true}')).toMatchObject({ id: '1' });
  });

  it.each(['{}', 'null', 'not json'])('that is not understood is an error worth another try: %s', (body) => {
    expect(() => parse(body)).toThrow(/a thing is not understood by this agent/);
    try {
      parse(body);
    } catch (error) {
      expect(isTransient(error)).toBe(true);
    }
  });
});
