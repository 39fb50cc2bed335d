/** Follows the progress of one build until the daemon has said all of it. */
import { Control } from './gen/control_pb.ts';
import { callServerStream } from './grpc-call.ts';
import type { GrpcConnection } from './grpc-client.ts';
import { GrpcError } from './grpc-status.ts';
import { progressReader, type ProgressEvent } from './progress.ts';

export interface StatusStream {
  /** Call when the build has ended; resolves after the last event, or when none came for so many milliseconds. */
  finish(silenceMs: number): Promise<void>;
}

export function followStatus(
  connection: GrpcConnection,
  ref: string,
  onProgress: (event: ProgressEvent) => void,
): StatusStream {
  const call = callServerStream(connection, Control.method.status, { ref });
  const reader = progressReader();
  let silence: NodeJS.Timeout | null = null;
  const follow = async (): Promise<void> => {
    try {
      for await (const message of call.messages) {
        silence?.refresh();
        reader.read(message).forEach(onProgress);
      }
    } catch (error) {
      // What breaks this stream breaks the solve too, and the solve tells why.
      if (!(error instanceof GrpcError)) throw error;
    }
  };
  const followed = follow();
  // Waited for in finish(), which comes later.
  followed.catch(() => undefined);
  return {
    async finish(silenceMs) {
      silence = setTimeout(() => call.cancel(), silenceMs);
      try {
        await followed;
      } finally {
        clearTimeout(silence);
      }
    },
  };
}
