/** The node's DNS server, on the gateway address of its containers: over UDP and TCP, authoritative for `.internal`, and asking others for the rest. */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { answer } from '../../core/dns/answer.ts';
import type { Names } from '../../core/contract/names.ts';
import { fitUdp, readQuery, writeAnswer, writeError, writeFailure } from './message.ts';
import { framed, unframed, type Transport, type Upstream } from './upstream.ts';

export interface DnsServerOptions {
  address: string;
  port: number;
  upstream: Upstream;
  log: (line: string) => void;
}

export interface DnsServer {
  readonly port: number;
  /** From now on these names are answered. */
  readonly serve: (names: Names) => void;
  readonly close: () => Promise<void>;
}

/** Of one asker, and of all. */
const tcp = { idleMs: 10_000, connections: 256 };

/** Rejects when the address or the port cannot be had. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  let names: Names = { ttlSeconds: 1, views: [] };
  let turn = 0;
  const respond = async (message: Buffer, asker: string, transport: Transport): Promise<Buffer | null> => {
    const reading = readQuery(message);
    if (reading.kind === 'noise') return null;
    if (reading.kind === 'refused') return writeError(reading.id, reading.code);
    const { query } = reading;
    turn = (turn + 1) % Number.MAX_SAFE_INTEGER;
    const found = answer(names, { asker, question: query.question, turn });
    if (found.kind === 'forward') return (await options.upstream.ask(message, query, transport)) ?? writeFailure(query);
    const written = writeAnswer(query, found, names.ttlSeconds);
    return transport === 'udp' ? fitUdp(written, query) : written;
  };
  const udp = await listenUdp(options, respond);
  const { port } = udp.address();
  try {
    const streams = await listenTcp({ ...options, port }, respond);
    return {
      port,
      serve: (newer) => {
        names = newer;
      },
      close: async () => {
        await Promise.all([new Promise<void>((resolve) => udp.close(() => resolve())), streams.close()]);
      },
    };
  } catch (error) {
    udp.close();
    throw error;
  }
}

type Respond = (message: Buffer, asker: string, transport: Transport) => Promise<Buffer | null>;

function listenUdp({ address, port, log }: DnsServerOptions, respond: Respond): Promise<UdpSocket> {
  const socket = createSocket('udp4');
  const reply = async (message: Buffer, from: RemoteInfo): Promise<void> => {
    const written = await respond(message, from.address, 'udp');
    // Who is gone by now is not told: the asker asks again.
    if (written !== null) socket.send(written, from.port, from.address, () => undefined);
  };
  socket.on('message', (message, from) => {
    reply(message, from).catch((error: unknown) => log(`A DNS question was not answered: ${String(error)}`));
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.off('error', reject);
      socket.on('error', (error) => log(`The DNS socket failed: ${error.message}`));
      resolve(socket);
    });
  });
}

interface Streams {
  close(): Promise<void>;
}

function listenTcp({ address, port, log }: DnsServerOptions, respond: Respond): Promise<Streams> {
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    converse(socket, respond, log);
  });
  server.maxConnections = tcp.connections;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      server.on('error', (error) => log(`The DNS listener failed: ${error.message}`));
      resolve({
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of open) socket.destroy();
          }),
      });
    });
  });
}

/** One question after the other; what is no question ends the connection. No more is read while one is worked on. */
function converse(socket: Socket, respond: Respond, log: (line: string) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  const asker = socket.remoteAddress ?? '';
  const answerAll = async (messages: readonly Buffer[]): Promise<void> => {
    for (const message of messages) {
      const written = await respond(message, asker, 'tcp');
      if (written === null) socket.destroy();
      else if (socket.writable) socket.write(framed(written));
    }
    socket.resume();
  };
  socket.setTimeout(tcp.idleMs, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    socket.pause();
    const { messages, rest: left } = unframed(Buffer.concat([rest, chunk]));
    rest = Buffer.from(left);
    answerAll(messages).catch((error: unknown) => {
      log(`A DNS question was not answered: ${String(error)}`);
      socket.destroy();
    });
  });
}
