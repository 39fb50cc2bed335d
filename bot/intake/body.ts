/** Receives the bodies of requests whose signature cannot be looked at before they are whole: so many bytes of all of them, for so long. */
import type { Readable } from 'node:stream';
import { ApiError } from '../../platform/errors/api-codes.ts';

export interface BodyLimits {
  /** Of one body. */
  bodyBytes: number;
  /** Of the bodies that are being received, all together; one body has to fit. */
  allBytes: number;
  /** Until a body is whole. */
  withinMs: number;
}

/** `announced` is the length that the headers name, NaN when they name none. */
export type ReceiveBody = (
  stream: Readable,
  announced: number,
  done: (error: Error | null, body?: Buffer) => void,
) => void;

interface Reception {
  /** What it keeps in memory. */
  held: number;
  end: (error: Error | null) => void;
}

/** What keeping a piece costs beside its bytes: a sender may cut a body into as many as it has. */
const pieceBytes = 256;

export function bodyReceiver({ bodyBytes, allBytes, withinMs }: BodyLimits): ReceiveBody {
  const open = new Set<Reception>();
  let held = 0;

  /** The largest goes first: webhooks are small, and get through however many others hold the memory. */
  const makeRoom = (): void => {
    while (held > allBytes) {
      const largest = [...open].reduce((a, b) => (b.held > a.held ? b : a));
      largest.end(new ApiError('unavailable', 'More webhooks arrive than there is memory for; send it again.'));
    }
  };

  return (stream, announced, done) => {
    if (announced > bodyBytes) {
      done(new ApiError('payload_too_large'));
      return;
    }
    const pieces: Buffer[] = [];
    let length = 0;
    const take = (piece: Buffer): void => {
      length += piece.length;
      pieces.push(piece);
      reception.held += piece.length + pieceBytes;
      held += piece.length + pieceBytes;
      if (length > bodyBytes) reception.end(new ApiError('payload_too_large'));
      else if (held > allBytes) makeRoom();
    };
    const finish = (): void => reception.end(null);
    const fail = (): void =>
      reception.end(new ApiError('webhook_payload_invalid', 'The body of the webhook was cut off.'));
    const reception: Reception = {
      held: 0,
      end: (error) => {
        if (!open.delete(reception)) return;
        clearTimeout(timer);
        held -= reception.held;
        stream.off('data', take).off('end', finish).off('error', fail);
        if (error === null) done(null, Buffer.concat(pieces, length));
        else done(error);
      },
    };
    open.add(reception);
    const timer = setTimeout(() => reception.end(new ApiError('request_timeout')), withinMs);
    stream.on('data', take).on('end', finish).on('error', fail);
  };
}
