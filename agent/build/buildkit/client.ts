/** The client of a BuildKit daemon: one connection, any number of builds at once. */
import { randomUUID } from 'node:crypto';
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { BuildError, problemOf } from './errors.ts';
import { Control, type WorkerRecord } from './gen/control_pb.ts';
import { callServerStream, callUnary, type RpcMethod } from './grpc-call.ts';
import { connectGrpc } from './grpc-client.ts';
import { GrpcError } from './grpc-status.ts';
import type { LivenessOptions } from './liveness.ts';
import { solve, type Daemon } from './solve.ts';
import type { SolveRequest, SolveResult } from './solve-request.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

export interface BuildWorker {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly platforms: readonly Platform[];
}

export interface PruneRequest {
  /** Bytes of cache that stay in any case. */
  readonly reservedSpace: number;
  /** Bytes that the cache may take at most. */
  readonly maxUsedSpace: number;
}

export interface PruneResult {
  readonly records: number;
  readonly bytes: number;
}

/** Every method rejects with BuildError. */
export interface BuildKitClient {
  info(): Promise<{ version: string }>;
  workers(): Promise<readonly BuildWorker[]>;
  solve(request: SolveRequest): Promise<SolveResult>;
  prune(request: PruneRequest): Promise<PruneResult>;
  /** Ends what is under way. */
  close(): void;
}

/** A daemon on the same machine answers in milliseconds, under load in a second. */
const callTimeoutMs = 10_000;

const defaultLiveness: LivenessOptions = { intervalMs: 5000, timeoutMs: 20_000 };

function newId(): string {
  return randomUUID().replaceAll('-', '');
}

function workerOf(record: WorkerRecord): BuildWorker {
  const platforms = record.platforms.map(({ os, architecture, variant }) => ({ os, architecture, variant }));
  return { id: record.id, labels: record.labels, platforms };
}

function asBuildError(error: unknown, address: string): Error {
  if (error instanceof GrpcError) {
    return new BuildError(problemOf(error, { address, failedSteps: [], logTail: () => [] }), { cause: error });
  }
  return error instanceof Error ? error : new Error(String(error));
}

async function ask<I extends DescMessage, O extends DescMessage>(
  daemon: Daemon,
  method: RpcMethod<I, O>,
  request: MessageInitShape<I>,
): Promise<MessageShape<O>> {
  try {
    return await callUnary(daemon.connection, method, request, { timeoutMs: callTimeoutMs });
  } catch (error) {
    throw asBuildError(error, daemon.address);
  }
}

async function prune(daemon: Daemon, request: PruneRequest): Promise<PruneResult> {
  let records = 0;
  let bytes = 0;
  try {
    const limits = { reservedSpace: BigInt(request.reservedSpace), maxUsedSpace: BigInt(request.maxUsedSpace) };
    const pruned = callServerStream(daemon.connection, Control.method.prune, { all: true, ...limits });
    for await (const record of pruned.messages) {
      records++;
      bytes += Number(record.size);
    }
  } catch (error) {
    throw asBuildError(error, daemon.address);
  }
  return { records, bytes };
}

function socketPath(address: string): string {
  const path = /^unix:\/\/(\/.+)$/.exec(address)?.[1];
  if (path === undefined) throw new Error(`BuildKit's address must be unix:///path/to/socket, not ${address}.`);
  return path;
}

/** `address` is `unix:///path/to/socket`. The connection is made with the first call, and again after the daemon restarts. */
export function connectBuildKit(
  address: string,
  options: { readonly liveness?: LivenessOptions } = {},
): BuildKitClient {
  const connection = connectGrpc(socketPath(address));
  const daemon: Daemon = { connection, address, liveness: options.liveness ?? defaultLiveness };
  return {
    async info() {
      const { buildkitVersion } = await ask(daemon, Control.method.info, {});
      return { version: buildkitVersion?.version ?? '' };
    },
    async workers() {
      const { record } = await ask(daemon, Control.method.listWorkers, {});
      return record.map(workerOf);
    },
    solve: (request) => solve(daemon, request, { ref: newId(), session: newId() }),
    prune: (request) => prune(daemon, request),
    close: () => connection.close(),
  };
}
