/** Runs one build: opens its session, starts it, follows its progress, and says how it ended. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { messageOf } from '../../../platform/errors/classify.ts';
import { recordedError } from './build-history.ts';
import { BuildError, problemOf, type BuildProblem } from './errors.ts';
import { Control } from './gen/control_pb.ts';
import type { PolicySchema } from './gen/policy_pb.ts';
import { callUnary } from './grpc-call.ts';
import type { GrpcConnection } from './grpc-client.ts';
import { GrpcError, grpcStatus } from './grpc-status.ts';
import { watchLiveness, type LivenessOptions } from './liveness.ts';
import { buildRecord, type BuildRecord } from './log-tail.ts';
import { diagnosePush } from './registry-probe.ts';
import { openSession } from './session.ts';
import { sessionMethods } from './session-methods.ts';
import type { CacheRef, SolveRequest, SolveResult, SourceRule } from './solve-request.ts';
import { followStatus } from './status-stream.ts';

export interface Daemon {
  readonly connection: GrpcConnection;
  readonly address: string;
  readonly liveness: LivenessOptions;
}

/** How long the daemon may be silent after the build's end before its progress counts as complete. */
const silenceMs = 5000;

/** The same for a build that was ended from here: its last lines are worth less than the time. */
const silenceAfterInterruptionMs = 500;

/** The ids that the daemon knows a build and its session by. */
export interface SolveIds {
  readonly ref: string;
  readonly session: string;
}

/** The attributes as the frontend wants them; it reads cache imports from here, not from the request's own field. */
export function frontendAttrs(request: SolveRequest): Record<string, string> {
  const cacheImports = request.cacheImports.map(({ type, attrs }) => ({ Type: type, Attrs: attrs }));
  return {
    ...request.frontendAttrs,
    ...(cacheImports.length === 0 ? {} : { 'cache-imports': JSON.stringify(cacheImports) }),
    ...(request.cgroupParent === undefined ? {} : { 'cgroup-parent': request.cgroupParent }),
  };
}

function copied(refs: readonly CacheRef[]): { type: string; attrs: Record<string, string> }[] {
  return refs.map(({ type, attrs }) => ({ type, attrs: { ...attrs } }));
}

/** As the daemon takes it. Without a match type, it reads stars. */
export function sourcePolicy(rules: readonly SourceRule[]): MessageInitShape<typeof PolicySchema> {
  const actions = { allow: 0, deny: 1 };
  return {
    version: 1n,
    rules: rules.map(({ action, identifier }) => ({ action: actions[action], selector: { identifier } })),
  };
}

function callSolve(daemon: Daemon, request: SolveRequest, ids: SolveIds, signal: AbortSignal) {
  const message = {
    ref: ids.ref,
    session: ids.session,
    frontend: request.frontend,
    frontendAttrs: frontendAttrs(request),
    cache: { imports: copied(request.cacheImports), exports: copied(request.cacheExports) },
    exporters: copied(request.exports),
    ...(request.sourceRules === undefined ? {} : { sourcePolicy: sourcePolicy(request.sourceRules) }),
  };
  return callUnary(daemon.connection, Control.method.solve, message, { signal });
}

/** What ended a build from this side, before its call did. */
type Interruption =
  { readonly kind: 'context'; readonly problem: Error } | { readonly kind: 'daemon-lost'; readonly error: unknown };

function reasonOf(signal: AbortSignal): string {
  return messageOf(signal.reason);
}

/** The error with its details. INTERNAL without any is how a call ends whose error is too large for a header. */
async function wholeError(daemon: Daemon, ref: string, error: GrpcError): Promise<GrpcError> {
  if (error.code !== grpcStatus.internal || error.details !== null) return error;
  try {
    return (await recordedError(daemon.connection, ref)) ?? error;
  } catch (unread) {
    if (unread instanceof GrpcError) return error;
    throw unread;
  }
}

async function problemOfCall(
  daemon: Daemon,
  request: SolveRequest,
  error: GrpcError,
  record: BuildRecord,
): Promise<BuildProblem> {
  const problem = problemOf(error, { address: daemon.address, ...record });
  return problem.kind === 'export-failed' ? ((await diagnosePush(request, problem.message)) ?? problem) : problem;
}

/** What ended the build from this side, if anything did; it comes before whatever the call then says. */
function problemOfInterruption(
  daemon: Daemon,
  request: SolveRequest,
  interruption: Interruption | null,
): BuildProblem | null {
  if (request.signal.aborted) return { kind: 'cancelled', reason: reasonOf(request.signal) };
  if (interruption?.kind === 'context') return { kind: 'context-invalid', message: interruption.problem.message };
  if (interruption?.kind !== 'daemon-lost') return null;
  return { kind: 'daemon-unavailable', address: daemon.address, reason: 'it no longer answers' };
}

/** Rejects with BuildError. */
export async function solve(daemon: Daemon, request: SolveRequest, ids: SolveIds): Promise<SolveResult> {
  if (request.signal.aborted) throw new BuildError({ kind: 'cancelled', reason: reasonOf(request.signal) });
  const record = buildRecord();
  const interrupt = new AbortController();
  let interruption: Interruption | null = null;
  const interruptWith = (reason: Interruption): void => {
    interruption ??= reason;
    interrupt.abort();
  };
  const methods = sessionMethods(request, (problem) => interruptWith({ kind: 'context', problem }));
  const session = openSession(daemon.connection, { id: ids.session, sharedKey: request.contextKey ?? '', methods });
  const progress = followStatus(daemon.connection, ids.ref, (event) => {
    record.note(event);
    request.onProgress(event);
  });
  const endWatch = watchLiveness(
    (timeoutMs) => callUnary(daemon.connection, Control.method.info, {}, { timeoutMs }),
    (error) => interruptWith({ kind: 'daemon-lost', error }),
    daemon.liveness,
  );
  try {
    const signal = AbortSignal.any([request.signal, interrupt.signal]);
    const { exporterResponse } = await callSolve(daemon, request, ids, signal);
    await progress.finish(silenceMs);
    return { imageDigest: exporterResponse['containerimage.digest'] ?? null, exporterResponse };
  } catch (error) {
    endWatch();
    session.close();
    const known = problemOfInterruption(daemon, request, interruption);
    await progress.finish(known === null ? silenceMs : silenceAfterInterruptionMs);
    if (known !== null) throw new BuildError(known, { cause: error });
    if (!(error instanceof GrpcError)) throw error;
    const whole = await wholeError(daemon, ids.ref, error);
    throw new BuildError(await problemOfCall(daemon, request, whole, record), { cause: whole });
  } finally {
    endWatch();
    session.close();
  }
}
