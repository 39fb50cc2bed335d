/** Opens the session of one build: a connection to the daemon on which the daemon is the one that calls. */
import { Control } from './gen/control_pb.ts';
import { rpcPath } from './grpc-call.ts';
import type { GrpcConnection } from './grpc-client.ts';
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

function exposed(options: SessionOptions): Record<string, string | readonly string[]> {
  return {
    'x-docker-expose-session-uuid': options.id,
    'x-docker-expose-session-name': 'landfall',
    'x-docker-expose-session-sharedkey': options.sharedKey,
    'x-docker-expose-session-grpc-method': options.methods.map((method) => method.path),
  };
}

/** When the connection breaks the solve fails with the reason; the session then only ends. */
export function openSession(connection: GrpcConnection, options: SessionOptions): Session {
  const call = connection.call(rpcPath(Control.method.session), { headers: exposed(options) });
  const duplex = tunnel(call);
  const server = serveSession(duplex, options.methods);
  return {
    id: options.id,
    close() {
      server.destroy();
      duplex.destroy();
    },
  };
}
