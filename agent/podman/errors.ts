/** What can go wrong between the agent and the container engine. The code tells them apart, never the text. */
import { ifThere } from '../../platform/files/if-there.ts';

export type EngineErrorCode =
  /** Nothing listens on the socket, or the connection broke. */
  | 'engine_unreachable'
  /** The engine answered with an error status. */
  | 'engine_refused'
  /** The engine answered something this version of the agent does not understand. */
  | 'engine_unintelligible'
  /** The engine could not fetch an image. */
  | 'pull_failed';

export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;
  /** The HTTP status of an `engine_refused`; 0 otherwise. */
  readonly status: number;

  constructor(code: EngineErrorCode, message: string, options: { status?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? 0;
  }
}

export function isEngineStatus(error: unknown, ...statuses: number[]): error is EngineError {
  return error instanceof EngineError && error.code === 'engine_refused' && statuses.includes(error.status);
}

/** Null when the engine knows none of this name. */
export function unlessAbsent<T>(call: Promise<T>): Promise<T | null> {
  return ifThere(call, (error) => isEngineStatus(error, 404));
}
