/** A container's output as the engine multiplexes it: an 8-byte header (stream, 0, 0, 0, length) before each piece. */
import type { Readable } from 'node:stream';

export interface LogFrame {
  text: string;
  /** From standard error. */
  error: boolean;
}

const headerBytes = 8;
const standardError = 2;

export async function demultiplex(stream: Readable): Promise<LogFrame[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return framesOf(Buffer.concat(chunks));
}

/** An incomplete last frame is dropped. */
export function framesOf(bytes: Buffer): LogFrame[] {
  const frames: LogFrame[] = [];
  for (let at = 0; at + headerBytes <= bytes.length;) {
    const end = at + headerBytes + bytes.readUInt32BE(at + 4);
    if (end > bytes.length) break;
    const text = bytes.toString('utf8', at + headerBytes, end).replace(/\n$/, '');
    frames.push({ text, error: bytes[at] === standardError });
    at = end;
  }
  return frames;
}
