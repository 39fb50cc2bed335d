/** The frame around every gRPC message: a byte for compression, which is not used, and the length in 32 bits. */

export const frameHeaderLength = 5;

export function writeFrameHeader(buffer: Buffer, at: number, length: number): void {
  buffer[at] = 0;
  buffer.writeUInt32BE(length, at + 1);
}

export function frame(message: Uint8Array): Buffer {
  const header = Buffer.allocUnsafe(frameHeaderLength);
  writeFrameHeader(header, 0, message.length);
  return Buffer.concat([header, message]);
}

/** Cuts chunks into messages. */
export interface FrameReader {
  push(chunk: Buffer): Buffer[];
}

export function frameReader(): FrameReader {
  let rest: Buffer[] = [];
  let length = 0;
  return {
    push(chunk) {
      rest.push(chunk);
      length += chunk.length;
      const first = rest[0] ?? chunk;
      // A large message arrives in many chunks; joining them once, when it is complete, keeps that linear.
      if (first.length >= frameHeaderLength && length < frameHeaderLength + first.readUInt32BE(1)) return [];
      const bytes = rest.length === 1 ? first : Buffer.concat(rest);
      const messages: Buffer[] = [];
      let at = 0;
      while (bytes.length - at >= frameHeaderLength) {
        const end = at + frameHeaderLength + bytes.readUInt32BE(at + 1);
        if (bytes.length < end) break;
        messages.push(bytes.subarray(at + frameHeaderLength, end));
        at = end;
      }
      length = bytes.length - at;
      rest = length === 0 ? [] : [bytes.subarray(at)];
      return messages;
    },
  };
}

export async function* messagesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const reader = frameReader();
  for await (const chunk of chunks) yield* reader.push(chunk);
}
