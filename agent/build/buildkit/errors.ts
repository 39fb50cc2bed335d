/** Why a build did not succeed, as a closed list; decided by status codes and details, never by the words of a message. */
import { readErrorDetails, type SourceLines } from './error-details.ts';
import { grpcStatus, type GrpcError, type GrpcStatus } from './grpc-status.ts';

export interface FailedStep {
  /** Digest of the vertex. */
  readonly vertex: string;
  /** As the daemon shows it: `[2/4] RUN npm ci`. */
  readonly name: string;
}

export type BuildProblem =
  /** A step of the Dockerfile failed. `exitCode` is null when it never ran a process: a COPY of a file that is not there. */
  | {
      readonly kind: 'step-failed';
      readonly message: string;
      readonly step: FailedStep;
      readonly source: SourceLines | null;
      readonly exitCode: number | null;
      /** The last lines that the step printed. */
      readonly logTail: readonly string[];
    }
  /** The frontend does not take the Dockerfile, or has no stage of the target's name. */
  | { readonly kind: 'dockerfile-invalid'; readonly message: string; readonly source: SourceLines | null }
  | { readonly kind: 'dockerfile-missing'; readonly path: string }
  | { readonly kind: 'base-image-unavailable'; readonly message: string; readonly source: SourceLines | null }
  /** A file of the context cannot be read, vanished, or changed while it was sent. */
  | { readonly kind: 'context-invalid'; readonly message: string }
  | { readonly kind: 'registry-auth-refused'; readonly host: string; readonly status: number }
  | { readonly kind: 'registry-unreachable'; readonly host: string; readonly reason: string }
  /** The registry answers and takes the credentials, but not the image: `status` is what it says to an upload. */
  | { readonly kind: 'registry-refused'; readonly host: string; readonly status: number }
  | { readonly kind: 'no-space'; readonly message: string }
  | { readonly kind: 'cancelled'; readonly reason: string }
  | { readonly kind: 'daemon-unavailable'; readonly address: string; readonly reason: string }
  /**
   * The push failed, and the registry takes a small upload now: it had no room for this image (what it could not keep is
   * freed by then), or it was away for a moment.
   */
  | { readonly kind: 'push-failed'; readonly host: string; readonly message: string }
  /** Everything was built, but the result could not be exported; it was for no registry. */
  | { readonly kind: 'export-failed'; readonly message: string };

function atLine(source: SourceLines | null): string {
  return source?.lines === null || source === null ? '' : ` (${source.file}:${source.lines.start})`;
}

/** One sentence or two for a person: what happened, why, and what to do where that is known. */
export function describeProblem(problem: BuildProblem): string {
  switch (problem.kind) {
    case 'step-failed': {
      const how = problem.exitCode === null ? problem.message : `it exited with code ${problem.exitCode}`;
      return `The step ${problem.step.name} failed${atLine(problem.source)}: ${how}.`;
    }
    case 'dockerfile-invalid':
      return `The Dockerfile is not valid${atLine(problem.source)}: ${problem.message}.`;
    case 'dockerfile-missing':
      return `There is no Dockerfile at ${problem.path}. Add one, or name another in landfall.yml.`;
    case 'base-image-unavailable':
      return `A base image cannot be fetched${atLine(problem.source)}: ${problem.message}.`;
    case 'context-invalid':
      return `The build context cannot be sent: ${problem.message}.`;
    case 'registry-auth-refused':
      return `The registry ${problem.host} refuses the credentials (HTTP ${problem.status}). Check the user and password given for it.`;
    case 'registry-unreachable':
      return `The registry ${problem.host} cannot be reached: ${problem.reason}. Check its address and that it runs.`;
    case 'registry-refused':
      return `The registry ${problem.host} does not take the image (HTTP ${problem.status}). See its log; a full disk is the usual cause of 5xx.`;
    case 'push-failed':
      return `The image was built but not pushed: the registry ${problem.host} does not take it (${problem.message}). See the log of the registry; a full disk is the usual cause.`;
    case 'no-space':
      return `The build machine has no space left: ${problem.message}. Free disk space, or prune the build cache.`;
    case 'cancelled':
      return `The build was cancelled: ${problem.reason}.`;
    case 'daemon-unavailable':
      return `BuildKit at ${problem.address} is not available: ${problem.reason}. Check that buildkitd runs there.`;
    case 'export-failed':
      return `The image was built but not exported: ${problem.message}.`;
  }
}

export class BuildError extends Error {
  override readonly name = 'BuildError';
  readonly problem: BuildProblem;
  constructor(problem: BuildProblem, options?: ErrorOptions) {
    super(describeProblem(problem), options);
    this.problem = problem;
  }
}

/** What was seen of a build besides the error of its call. */
export interface SolveFacts {
  readonly address: string;
  readonly failedSteps: readonly FailedStep[];
  logTail(vertex: string): readonly string[];
}

function trimmed(message: string): string {
  return message.replace(/[.\s]+$/, '');
}

/** Codes with which a call ends when the daemon is not there to end it, or stops while it works. */
const goneCodes: ReadonlySet<GrpcStatus> = new Set([
  grpcStatus.unavailable,
  grpcStatus.cancelled,
  grpcStatus.deadlineExceeded,
]);

/** Maps the error of a call that nobody cancelled. What the details leave open happened after the last step: the export. */
export function problemOf(error: GrpcError, facts: SolveFacts): BuildProblem {
  const details = readErrorDetails(error);
  const message = trimmed(error.message);
  const { source, exitCode } = details;
  if (exitCode === null && error.code === grpcStatus.resourceExhausted) return { kind: 'no-space', message };
  if (details.vertex !== null) {
    if (details.fetched?.startsWith('docker-image://') === true)
      return { kind: 'base-image-unavailable', message, source };
    const vertex = details.vertex;
    const step = facts.failedSteps.find((one) => one.vertex === vertex) ?? { vertex, name: source?.file ?? vertex };
    return { kind: 'step-failed', message, step, source, exitCode, logTail: facts.logTail(vertex) };
  }
  if (details.frontend !== null) {
    // Reading a base image's metadata is a step of the frontend's own; a Dockerfile it cannot read fails without one.
    const kind = facts.failedSteps.length > 0 ? 'base-image-unavailable' : 'dockerfile-invalid';
    return { kind, message, source };
  }
  if (goneCodes.has(error.code)) return { kind: 'daemon-unavailable', address: facts.address, reason: message };
  return { kind: 'export-failed', message };
}
