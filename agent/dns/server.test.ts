import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { randomBytes } from 'node:crypto';
import packet, { type DecodedPacket, type Packet } from 'dns-packet';
import { afterEach, describe, expect, it } from 'vitest';
import type { Names } from '../../core/contract/names.ts';
import { manualClock } from '../testing/manual-clock.ts';
import { serversOf } from './resolv-conf.ts';
import { startDnsServer, type DnsServer } from './server.ts';
import { framed, unframed, upstream, type Upstream } from './upstream.ts';

const names: Names = {
  ttlSeconds: 5,
  views: [
    {
      environmentId: 'production',
      askers: ['127.0.0.1'],
      names: {
        'web.internal': ['10.200.1.2', '10.200.2.2', '10.200.3.2'],
        'many.internal': Array.from({ length: 200 }, (_, index) => `10.200.9.${index}`),
        'jobs.internal': [],
      },
    },
  ],
};

const noUpstream: Upstream = { ask: () => Promise.resolve(null) };
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function server(options: { upstream?: Upstream } = {}): Promise<DnsServer> {
  const log = (line: string): never => {
    throw new Error(line);
  };
  const started = await onFreePort(() =>
    startDnsServer({ address: '127.0.0.1', port: 0, upstream: noUpstream, log, ...options }),
  );
  closing.push(started.close);
  started.serve(names);
  return started;
}

/** The port that was free for UDP may be taken for TCP. */
async function onFreePort<T>(start: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    }
  }
}

function question(name: string, change: Partial<Packet> = {}): Buffer {
  const questions = [{ type: 'A' as const, name }];
  return Buffer.from(
    packet.encode({ type: 'query', id: 4_711, flags: packet.RECURSION_DESIRED, questions, ...change }),
  );
}

function exchange(port: number, message: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.once('message', (answer) => {
      socket.close();
      resolve(answer);
    });
    socket.send(message, port, '127.0.0.1');
  });
}

async function ask(port: number, name: string, change: Partial<Packet> = {}): Promise<DecodedPacket> {
  return packet.decode(await exchange(port, question(name, change)));
}

function overTcp(port: number, message: Buffer): Promise<Buffer[]> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(message));
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const { messages } = unframed(received);
      if (messages.length === 2) socket.end();
    });
    socket.on('close', () => resolve(unframed(received).messages));
  });
}

const codeOf = (answer: DecodedPacket): number => (answer.flags ?? 0) & 0xf;

describe('a question about .internal', () => {
  it('is answered with the replicas, another one first each time', async () => {
    const { port } = await server();
    const answers = [];
    for (let round = 0; round < 3; round++) answers.push(await ask(port, 'web.internal'));
    const first = answers.map(({ answers: records }) => records?.[0]);
    expect(first.map((record) => record && 'data' in record && record.data)).toHaveLength(3);
    expect(new Set(first.map((record) => JSON.stringify(record))).size).toBe(3);
    expect(answers[0]).toMatchObject({ id: 4_711, flag_aa: true, flag_rd: true, flag_ra: true, flag_tc: false });
    expect(answers[0]?.answers?.[0]).toMatchObject({ type: 'A', name: 'web.internal', ttl: 5, class: 'IN' });
  });

  it('keeps the case of the name: askers check it', async () => {
    const { port } = await server();
    expect((await ask(port, 'wEb.InTernal')).answers?.[0]).toMatchObject({ name: 'wEb.InTernal' });
  });

  it('says that there is nothing of this type, and for how long', async () => {
    const { port } = await server();
    for (const answer of [
      await ask(port, 'jobs.internal'),
      await ask(port, 'web.internal', { questions: [{ type: 'AAAA', name: 'web.internal' }] }),
    ]) {
      expect(codeOf(answer)).toBe(0);
      expect(answer.answers).toEqual([]);
      expect(answer.authorities?.[0]).toMatchObject({ type: 'SOA', name: 'internal', ttl: 5, data: { minimum: 5 } });
    }
  });

  it('P16: is never asked of another server: the name is not there', async () => {
    const asked: string[] = [];
    const spying: Upstream = { ask: (_message, query) => (asked.push(query.question.name), Promise.resolve(null)) };
    const { port } = await server({ upstream: spying });
    const answer = await ask(port, 'nope.internal');
    expect(codeOf(answer)).toBe(3);
    expect(answer.authorities?.[0]).toMatchObject({ type: 'SOA' });
    expect(asked).toEqual([]);
  });

  it('is cut to what fits, and answered whole over TCP and where EDNS leaves room', async () => {
    const { port } = await server();
    const cut = await ask(port, 'many.internal');
    expect(cut).toMatchObject({ flag_tc: true, answers: [] });
    const edns = {
      type: 'OPT' as const,
      name: '.',
      udpPayloadSize: 4_096,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    };
    const web = await ask(port, 'web.internal', { additionals: [edns] as NonNullable<Packet['additionals']> });
    expect(web.additionals?.[0]).toMatchObject({ type: 'OPT', udpPayloadSize: 1_232 });
    const both = framed(question('many.internal'));
    const [whole, again] = await overTcp(port, Buffer.concat([both, both]));
    expect(packet.decode(whole!).answers).toHaveLength(200);
    expect(packet.decode(again!).answers).toHaveLength(200);
  });
});

describe('what is no question', () => {
  it('is answered with what is wrong, or not at all, and harms nothing', async () => {
    const { port } = await server();
    const notOne = question('web.internal');
    notOne.writeUInt16BE(0, 4);
    expect(codeOf(packet.decode(await exchange(port, notOne)))).toBe(1);
    const opcode = question('web.internal');
    opcode.writeUInt16BE(5 << 11, 2);
    expect(codeOf(packet.decode(await exchange(port, opcode)))).toBe(4);
    const socket = createSocket('udp4');
    for (let count = 0; count < 200; count++) socket.send(randomBytes(count), port, '127.0.0.1');
    const whole = question('web.internal');
    for (let size = 0; size < whole.length; size++) socket.send(whole.subarray(0, size), port, '127.0.0.1');
    // A name that points at itself.
    const loop = Buffer.concat([question('a').subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]);
    socket.send(loop, port, '127.0.0.1');
    socket.close();
    expect((await ask(port, 'web.internal')).answers).toHaveLength(3);
    const anAnswer = randomBytes(40);
    anAnswer.writeUInt16BE(0x80_00, 2);
    expect(await overTcp(port, framed(anAnswer))).toEqual([]);
  });
});

/** A server of the outside: counts questions, and answers with its own address. */
async function outside(address: string | null) {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (message, from) => {
    const { id, questions } = packet.decode(message);
    asked.push(questions?.[0]?.name ?? '');
    if (address === null) return;
    const answers = [{ type: 'A' as const, name: questions![0]!.name, ttl: 60, data: address }];
    socket.send(packet.encode({ type: 'response', id: id!, questions: questions!, answers }), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  closing.push(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return { asked, at: { address: '127.0.0.1', port: socket.address().port } };
}

describe('a question about anything else', () => {
  it('is asked of the next server when one is silent, kept for a moment, and answered under its own id', async () => {
    const [silent, well] = [await outside(null), await outside('192.0.2.1')];
    const clock = manualClock();
    const forward = upstream({ servers: () => [silent.at, well.at], clock, timeoutMs: 50 });
    const { port } = await server({ upstream: forward });
    for (const id of [1, 2]) {
      const answer = await ask(port, 'example.com', { id });
      expect(answer).toMatchObject({ id, answers: [{ data: '192.0.2.1' }] });
    }
    expect(well.asked).toEqual(['example.com']);
    await clock.advance(31_000);
    await ask(port, 'example.com');
    expect(well.asked).toEqual(['example.com', 'example.com']);
  });

  it('fails when nobody answers', async () => {
    const silent = await outside(null);
    const forward = upstream({ servers: () => [silent.at], clock: manualClock(), timeoutMs: 20 });
    const { port } = await server({ upstream: forward });
    expect(codeOf(await ask(port, 'example.com'))).toBe(2);
  });
});

it('asks the servers of resolv.conf, and never itself', () => {
  const conf =
    '# comment\nnameserver 10.200.1.1\nnameserver 192.0.2.53 # here\n nameserver 2001:db8::53\nsearch nameserver 1.1.1.1\n';
  expect(serversOf(conf, '10.200.1.1').map(({ address }) => address)).toEqual(['192.0.2.53', '2001:db8::53']);
});
