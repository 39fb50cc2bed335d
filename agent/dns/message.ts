/** Reads questions and writes answers as DNS messages (RFC 1035, EDNS of RFC 6891). What cannot be read costs nothing. */
import packet, { type DecodedPacket, type Packet, type Question } from 'dns-packet';
import type { Answer } from '../../core/dns/answer.ts';
import { zoneName } from '../../core/dns/views.ts';

/** A message that asks one question, as far as it decides what is answered. */
export interface Query {
  id: number;
  question: Question;
  recursionDesired: boolean;
  /** Bytes that an answer over UDP may have. */
  udpSize: number;
  /** The asker understands EDNS, and gets an answer with it. */
  edns: boolean;
}

export type Reading =
  | { kind: 'query'; query: Query }
  /** Answered with an error code: it is a question that this server does not take. */
  | { kind: 'refused'; id: number; code: 'FORMERR' | 'NOTIMP' | 'REFUSED' }
  /** Not a question at all: not answered, so that nobody can be flooded with answers. */
  | { kind: 'noise' };

const headerBytes = 12;
/** Below what networks break in pieces (DNS flag day 2020). */
const largestUdp = 1_232;
const smallestUdp = 512;
const responseFlag = 0x80_00;
const authoritative = 0x04_00;
const truncated = 0x02_00;
const recursionDesiredFlag = 0x01_00;
const recursionAvailable = 0x00_80;
const codes = { FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

export function readQuery(message: Buffer): Reading {
  if (message.length < headerBytes || (message.readUInt16BE(2) & responseFlag) !== 0) return { kind: 'noise' };
  const id = message.readUInt16BE(0);
  if (((message.readUInt16BE(2) >> 11) & 0xf) !== 0) return { kind: 'refused', id, code: 'NOTIMP' };
  const decoded = decode(message);
  const [question, ...others] = decoded?.questions ?? [];
  if (decoded === null || question === undefined || others.length > 0) return { kind: 'refused', id, code: 'FORMERR' };
  if ((question.class ?? 'IN') !== 'IN') return { kind: 'refused', id, code: 'REFUSED' };
  const opt = decoded.additionals?.find((record) => record.type === 'OPT');
  const offered = opt !== undefined && 'udpPayloadSize' in opt ? opt.udpPayloadSize : smallestUdp;
  const udpSize = Math.min(Math.max(offered, smallestUdp), largestUdp);
  return {
    kind: 'query',
    query: { id, question, recursionDesired: decoded.flag_rd, udpSize, edns: opt !== undefined },
  };
}

function decode(message: Buffer): DecodedPacket | null {
  try {
    return packet.decode(message);
  } catch {
    // The library throws whatever comes when bytes are missing or point nowhere: it is not a DNS message then.
    return null;
  }
}

/** Header only. */
export function writeError(id: number, code: keyof typeof codes): Buffer {
  return Buffer.from(packet.encode({ id, type: 'response', flags: recursionAvailable | codes[code] }));
}

/** To a question that could not be answered, with the question. */
export function writeFailure(query: Query): Buffer {
  return write(query, { flags: recursionAvailable | codes.SERVFAIL });
}

/** @param ttlSeconds Of addresses, and of the knowledge that there are none. */
export function writeAnswer(query: Query, answer: Exclude<Answer, { kind: 'forward' }>, ttlSeconds: number): Buffer {
  const { name } = query.question;
  switch (answer.kind) {
    case 'addresses':
      return write(query, {
        flags: authoritative | recursionAvailable,
        answers: answer.addresses.map((data) => ({ type: 'A', name, ttl: ttlSeconds, data })),
      });
    case 'no_data':
      return write(query, { flags: authoritative | recursionAvailable, authorities: [authority(ttlSeconds)] });
    case 'no_name':
      return write(query, {
        flags: authoritative | recursionAvailable | codes.NXDOMAIN,
        authorities: [authority(ttlSeconds)],
      });
  }
}

/** How long nothing is nothing (RFC 2308). */
function authority(ttlSeconds: number): NonNullable<Packet['authorities']>[number] {
  const times = { serial: 1, refresh: 3_600, retry: 600, expire: 86_400, minimum: ttlSeconds };
  const data = { mname: `ns.${zoneName}`, rname: `hostmaster.${zoneName}`, ...times };
  return { type: 'SOA', name: zoneName, ttl: ttlSeconds, data };
}

function write(query: Query, { flags, ...records }: Pick<Packet, 'flags' | 'answers' | 'authorities'>): Buffer {
  const asked = query.recursionDesired ? recursionDesiredFlag : 0;
  return Buffer.from(
    packet.encode({
      ...{ id: query.id, type: 'response', flags: (flags ?? 0) | asked, questions: [query.question], ...records },
      additionals: query.edns
        ? [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize: largestUdp,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: 0,
              flag_do: false,
              options: [],
            },
          ]
        : [],
    }),
  );
}

/** Cut to what the asker takes over UDP: it asks again over TCP. */
export function fitUdp(answer: Buffer, query: Query): Buffer {
  if (answer.length <= query.udpSize) return answer;
  const { flags = 0 } = packet.decode(answer);
  return write(query, { flags: flags | truncated });
}

/** The shortest life of any record in a message, in seconds; null for a message that is not kept. */
export function lifeOf(message: Buffer): number | null {
  const decoded = decode(message);
  if (decoded === null || (message.readUInt16BE(2) & 0xf) === codes.SERVFAIL || decoded.flag_tc) return null;
  const records = [...(decoded.answers ?? []), ...(decoded.authorities ?? [])];
  const lives = records.flatMap((record) => ('ttl' in record && record.ttl !== undefined ? [record.ttl] : []));
  return lives.length === 0 ? null : Math.min(...lives);
}
