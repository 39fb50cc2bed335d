/** Says how a build ended, in the closed codes of the contract, from the errors of its parts. */
import type { Annotation, BuildFailureCode, BuildOutcome } from '../../core/contract/work.ts';
import { messageOf } from '../../platform/errors/classify.ts';
import { DeadlineExceeded } from '../process/deadline.ts';
import { BuildError, type BuildProblem } from './buildkit/errors.ts';
import type { MemoryVerdict } from './confine.ts';
import { BuildFailed } from './failure.ts';

export interface FailureFacts {
  /** The log's last lines, masked. */
  logTail: readonly string[];
  mask: (text: string) => string;
  memory: MemoryVerdict;
  memoryBytes: number;
  timeoutMs: number;
}

/** The control plane, or a lost lease, asked for the end. */
export class BuildCancelled extends Error {
  override readonly name = 'BuildCancelled';
  readonly code: string;

  constructor(code: string) {
    super(`The build was cancelled: ${code}.`);
    this.code = code;
  }
}

const maxMessage = 4_000;
const maxTail = 50;

export function outcomeOf(error: unknown, abortReason: unknown, facts: FailureFacts): BuildOutcome {
  if (abortReason instanceof BuildCancelled) return { kind: 'cancelled', code: abortReason.code };
  if (abortReason instanceof DeadlineExceeded) {
    return failed(facts, 'timed_out', `The build took longer than ${spoken(facts.timeoutMs)} and was stopped.`);
  }
  if (error instanceof BuildFailed) return failed(facts, error.code, error.message, [...error.annotations]);
  if (error instanceof BuildError) return problemOutcome(error, facts);
  return failed(facts, 'internal', messageOf(error));
}

function problemOutcome(error: BuildError, facts: FailureFacts): BuildOutcome {
  const { problem } = error;
  if (problem.kind === 'cancelled') return { kind: 'cancelled', code: 'cancelled' };
  if (problem.kind === 'step-failed' && wasKilledForMemory(problem.exitCode, facts.memory)) {
    const limit = `${Math.round(facts.memoryBytes / 1024 ** 2)} MiB`;
    const message = `The step ${problem.step.name} was killed: the build used more than its ${limit} of memory.`;
    return failed(facts, 'out_of_memory', message, annotationsOf(problem, message));
  }
  return failed(facts, codeOf(problem), error.message, annotationsOf(problem, error.message));
}

/** Where the kernel does not say that it killed, a step that ended by SIGKILL with its memory used up was. */
function wasKilledForMemory(exitCode: number | null, memory: MemoryVerdict): boolean {
  return memory === 'killed' || (memory === 'short' && exitCode === killedExitCode);
}

const killedExitCode = 137;

function codeOf(problem: Exclude<BuildProblem, { kind: 'cancelled' }>): BuildFailureCode {
  switch (problem.kind) {
    case 'step-failed':
      return 'step_failed';
    case 'dockerfile-invalid':
      return 'dockerfile_invalid';
    case 'dockerfile-missing':
      return 'dockerfile_missing';
    case 'base-image-unavailable':
      return 'base_image_unavailable';
    case 'context-invalid':
      return 'context_invalid';
    case 'registry-auth-refused':
      return 'registry_refused';
    case 'registry-refused':
    case 'push-failed':
      return 'registry_failed';
    case 'registry-unreachable':
      return 'registry_unreachable';
    case 'no-space':
      return 'disk_full';
    case 'daemon-unavailable':
      return 'builder_unavailable';
    case 'export-failed':
      return 'internal';
  }
}

function annotationsOf(problem: BuildProblem, message: string): Annotation[] {
  if (!('source' in problem) || problem.source?.lines == null) return [];
  const { file, lines } = problem.source;
  return [{ path: file, line: lines.start, endLine: lines.end, message }];
}

function failed(
  facts: FailureFacts,
  code: BuildFailureCode,
  message: string,
  annotations: Annotation[] = [],
): BuildOutcome {
  return {
    kind: 'failed',
    code,
    message: facts.mask(message).slice(0, maxMessage),
    annotations: annotations.slice(0, 50).map((one) => ({ ...one, message: facts.mask(one.message) })),
    logTail: facts.logTail.slice(-maxTail),
  };
}

function spoken(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  return seconds < 120 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`;
}
