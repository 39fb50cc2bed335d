/** Follows the progress of one build until the daemon has said all of it. */
import type { Client } from '@grpc/grpc-js';
import { Control, type StatusResponse } from './gen/control_pb.ts';
import { callServerStream } from './grpc-call.ts';
import { progressReader, type ProgressEvent } from './progress.ts';

/** How long the daemon may be silent after the build's end before its progress counts as complete. */
const silenceMs = 5000;

export interface StatusStream {
  /** Call when the build has ended; resolves after the last event. */
  finish(): Promise<void>;
}

/** The stream's own error is not reported: whatever breaks it breaks the solve too, which tells why. */
export function followStatus(client: Client, ref: string, onProgress: (event: ProgressEvent) => void): StatusStream {
  const stream = callServerStream(client, Control.method.status, { ref });
  const reader = progressReader();
  let silence: NodeJS.Timeout | null = null;
  const ended = new Promise<void>((resolve) => {
    stream.on('end', resolve);
    stream.on('error', () => resolve());
  });
  stream.on('data', (message: StatusResponse) => {
    silence?.refresh();
    reader.read(message).forEach(onProgress);
  });
  return {
    async finish() {
      silence = setTimeout(() => stream.cancel(), silenceMs);
      await ended;
      clearTimeout(silence);
    },
  };
}
