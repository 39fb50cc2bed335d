/** Fetches the error of a past build from the daemon, for when it was too large to arrive with the call that failed. */
import { fromBinary } from '@bufbuild/protobuf';
import { Content } from './gen/content_pb.ts';
import { Control } from './gen/control_pb.ts';
import { StatusSchema } from './gen/status_pb.ts';
import { callServerStream } from './grpc-call.ts';
import type { GrpcConnection } from './grpc-client.ts';
import { GrpcError } from './grpc-status.ts';

const timeoutMs = 10_000;

async function errorDigest(connection: GrpcConnection, ref: string): Promise<string | null> {
  const events = callServerStream(connection, Control.method.listenBuildHistory, { ref, earlyExit: true }, timeoutMs);
  let digest: string | null = null;
  for await (const { record } of events.messages) {
    if (record?.ref === ref) digest = record.externalError?.digest ?? digest;
  }
  return digest;
}

async function readBlob(connection: GrpcConnection, digest: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of callServerStream(connection, Content.method.read, { digest }, timeoutMs).messages) {
    parts.push(part.data);
  }
  return Buffer.concat(parts);
}

/** The error as the daemon recorded it, or null when it recorded none. Rejects with GrpcError. */
export async function recordedError(connection: GrpcConnection, ref: string): Promise<GrpcError | null> {
  const digest = await errorDigest(connection, ref);
  if (digest === null) return null;
  const details = await readBlob(connection, digest);
  const { code, message } = fromBinary(StatusSchema, details);
  return new GrpcError(code, message, { details });
}
