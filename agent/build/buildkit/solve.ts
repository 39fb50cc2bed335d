/** Runs one build: opens its session, starts it, follows its progress, and says how it ended. */
import type { Client } from '@grpc/grpc-js';
import { BuildError, isServiceError, problemOf, type BuildProblem } from './errors.ts';
import { Control } from './gen/control_pb.ts';
import { callUnary } from './grpc-call.ts';
import { watchLiveness, type LivenessOptions } from './liveness.ts';
import { buildRecord, type BuildRecord } from './log-tail.ts';
import { diagnosePush } from './registry-probe.ts';
import { openSession } from './session.ts';
import { sessionMethods } from './session-methods.ts';
import type { CacheRef, SolveRequest, SolveResult } from './solve-request.ts';
import { followStatus } from './status-stream.ts';

export interface Daemon {
  readonly client: Client;
  readonly address: string;
  readonly liveness: LivenessOptions;
}

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

function callSolve(daemon: Daemon, request: SolveRequest, ids: SolveIds, signal: AbortSignal) {
  const message = {
    ref: ids.ref,
    session: ids.session,
    frontend: request.frontend,
    frontendAttrs: frontendAttrs(request),
    cache: { imports: copied(request.cacheImports), exports: copied(request.cacheExports) },
    exporters: copied(request.exports),
  };
  return callUnary(daemon.client, Control.method.solve, message, { signal });
}

/** What ended a build from this side, before its call did. */
type Interruption =
  { readonly kind: 'context'; readonly problem: Error } | { readonly kind: 'daemon-lost'; readonly error: unknown };

function reasonOf(signal: AbortSignal): string {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason.message : String(reason);
}

interface Ending {
  readonly error: unknown;
  readonly interruption: Interruption | null;
  readonly record: BuildRecord;
}

async function problemOfEnding(daemon: Daemon, request: SolveRequest, ending: Ending): Promise<BuildProblem | null> {
  const { error, interruption, record } = ending;
  const { address } = daemon;
  if (request.signal.aborted) return { kind: 'cancelled', reason: reasonOf(request.signal) };
  if (interruption?.kind === 'context') return { kind: 'context-invalid', message: interruption.problem.message };
  if (interruption?.kind === 'daemon-lost') {
    return { kind: 'daemon-unavailable', address, reason: 'it no longer answers' };
  }
  if (!isServiceError(error)) return null;
  const problem = problemOf(error, { address, ...record });
  return problem.kind === 'export-failed' ? ((await diagnosePush(request)) ?? problem) : problem;
}

/** Rejects with BuildError. */
export async function solve(daemon: Daemon, request: SolveRequest, ids: SolveIds): Promise<SolveResult> {
  const record = buildRecord();
  const interrupt = new AbortController();
  let interruption: Interruption | null = null;
  const interruptWith = (reason: Interruption): void => {
    interruption ??= reason;
    interrupt.abort();
  };
  const methods = sessionMethods(request, (problem) => interruptWith({ kind: 'context', problem }));
  const session = openSession(daemon.client, { id: ids.session, sharedKey: request.contextKey ?? '', methods });
  const progress = followStatus(daemon.client, ids.ref, (event) => {
    record.note(event);
    request.onProgress(event);
  });
  const endWatch = watchLiveness(
    (timeoutMs) => callUnary(daemon.client, Control.method.info, {}, { timeoutMs }),
    (error) => interruptWith({ kind: 'daemon-lost', error }),
    daemon.liveness,
  );
  try {
    const signal = AbortSignal.any([request.signal, interrupt.signal]);
    const { exporterResponse } = await callSolve(daemon, request, ids, signal);
    await progress.finish();
    return { imageDigest: exporterResponse['containerimage.digest'] ?? null, exporterResponse };
  } catch (error) {
    endWatch();
    session.close();
    await progress.finish();
    const problem = await problemOfEnding(daemon, request, { error, interruption, record });
    throw problem === null ? error : new BuildError(problem, { cause: error });
  } finally {
    endWatch();
    session.close();
  }
}
