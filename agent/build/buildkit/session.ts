/** Opens the session of one build: a connection to the daemon on which the daemon is the one that calls. */
import { Metadata, type Client } from '@grpc/grpc-js';
import { Control } from './gen/control_pb.ts';
import { callRawStream, rpcPath } from './grpc-call.ts';
import { serveSession, type Method } from './grpc-server.ts';
import { tunnel } from './tunnel.ts';

export interface Session {
  readonly id: string;
  close(): void;
}

export interface SessionOptions {
  readonly id: string;
  readonly sharedKey: string;
  readonly methods: readonly Method[];
}

function exposed(options: SessionOptions): Metadata {
  const metadata = new Metadata();
  metadata.set('x-docker-expose-session-uuid', options.id);
  metadata.set('x-docker-expose-session-name', 'landfall');
  metadata.set('x-docker-expose-session-sharedkey', options.sharedKey);
  for (const method of options.methods) metadata.add('x-docker-expose-session-grpc-method', method.path);
  return metadata;
}

export function openSession(client: Client, options: SessionOptions): Session {
  const stream = callRawStream(client, rpcPath(Control.method.session), exposed(options));
  const connection = tunnel(stream);
  // The solve fails with the reason when the stream breaks; here it only has to end.
  stream.on('error', () => connection.destroy());
  connection.on('error', () => stream.cancel());
  const server = serveSession(connection, options.methods);
  return {
    id: options.id,
    close() {
      server.destroy();
      connection.destroy();
    },
  };
}
