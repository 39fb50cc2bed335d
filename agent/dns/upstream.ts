/** Asks other servers what is not ours: one after the other, each within its time, and keeps answers for a moment. */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { Clock } from '../loop/clock.ts';
import { lifeOf, type Query } from './message.ts';

export type Transport = 'udp' | 'tcp';

export interface UpstreamOptions {
  /** Addresses, with a port where it is not 53, in the order in which they are asked. Read anew for every question. */
  servers: () => readonly { address: string; port: number }[];
  clock: Clock;
  timeoutMs: number;
}

export interface Upstream {
  /** The answer to the message, under its own id; null when no server gave one. */
  readonly ask: (message: Buffer, query: Query, transport: Transport) => Promise<Buffer | null>;
}

/** A cache for the questions that one page or one deploy asks again and again. */
const kept = { entries: 1_000, longestMs: 30_000 };
/** More at once are answered with a failure: a flood costs no more memory than this. */
const mostAtOnce = 512;

interface Kept {
  answer: Buffer;
  until: number;
}

export function upstream({ servers, clock, timeoutMs }: UpstreamOptions): Upstream {
  const cache = new Map<string, Kept>();
  let underWay = 0;
  return {
    async ask(message, query, transport) {
      const key = keyOf(message, transport);
      const now = clock.now().getTime();
      const found = cache.get(key);
      if (found !== undefined && found.until > now) return withId(found.answer, query.id);
      if (underWay >= mostAtOnce) return null;
      underWay += 1;
      try {
        for (const server of servers()) {
          const answer = await askServer(message, { server, transport, timeoutMs });
          if (answer === null) continue;
          keep(cache, key, { answer, until: now + lifeMs(answer) });
          return withId(answer, query.id);
        }
        return null;
      } finally {
        underWay -= 1;
      }
    },
  };
}

/** Everything after the id: the question, its case, and what EDNS asks for. */
function keyOf(message: Buffer, transport: Transport): string {
  return `${transport} ${message.toString('latin1', 2)}`;
}

function lifeMs(answer: Buffer): number {
  return Math.min((lifeOf(answer) ?? 0) * 1_000, kept.longestMs);
}

function keep(cache: Map<string, Kept>, key: string, entry: Kept): void {
  cache.delete(key);
  cache.set(key, entry);
  const [oldest] = cache.keys();
  if (cache.size > kept.entries && oldest !== undefined) cache.delete(oldest);
}

function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

interface Asking {
  server: { address: string; port: number };
  transport: Transport;
  timeoutMs: number;
}

/** Under an id and from a port that nobody can guess. */
function askServer(message: Buffer, { server, transport, timeoutMs }: Asking): Promise<Buffer | null> {
  const id = randomInt(0, 0x1_00_00);
  const question = withId(message, id);
  return transport === 'udp'
    ? askUdp(question, id, { server, timeoutMs })
    : askTcp(question, id, { server, timeoutMs });
}

type To = Omit<Asking, 'transport'>;

function askUdp(question: Buffer, id: number, { server, timeoutMs }: To): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4');
    const end = (answer: Buffer | null): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => end(null), timeoutMs);
    socket.once('error', () => end(null));
    // Connected: the kernel drops what comes from elsewhere.
    socket.connect(server.port, server.address, () => socket.send(question));
    socket.on('message', (answer) => {
      if (isAnswerTo(answer, id)) end(answer);
    });
  });
}

function askTcp(question: Buffer, id: number, { server, timeoutMs }: To): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = connect(server.port, server.address);
    let received = Buffer.alloc(0);
    const end = (answer: Buffer | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end(null), timeoutMs);
    socket.once('error', () => end(null));
    socket.once('close', () => end(null));
    socket.once('connect', () => socket.write(framed(question)));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const [answer] = unframed(received).messages;
      if (answer !== undefined) end(isAnswerTo(answer, id) ? answer : null);
    });
  });
}

function isAnswerTo(answer: Buffer, id: number): boolean {
  return answer.length >= 12 && answer.readUInt16BE(0) === id && (answer.readUInt16BE(2) & 0x80_00) !== 0;
}

/** With its length before it, as messages go over TCP. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** The whole messages in what has arrived, and what is left. */
export function unframed(received: Buffer): { messages: Buffer[]; rest: Buffer } {
  const messages: Buffer[] = [];
  let from = 0;
  while (received.length - from >= 2) {
    const end = from + 2 + received.readUInt16BE(from);
    if (end > received.length) break;
    messages.push(received.subarray(from + 2, end));
    from = end;
  }
  return { messages, rest: received.subarray(from) };
}
