/** One abort signal out of a deadline and an outer signal, without leaving listeners behind on the outer one. */

/** An external call took longer than it may (P03). */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
  readonly code = 'deadline_exceeded';

  constructor(what: string, milliseconds: number) {
    super(`${what} took longer than ${milliseconds} ms and was cancelled.`);
  }
}

export interface DeadlineOptions {
  /** What is bounded, for the error: "pulling web". */
  what: string;
  milliseconds: number;
  signal?: AbortSignal | undefined;
}

/** Runs `call` with a signal that is aborted at the deadline (reason: DeadlineExceeded) or when the outer signal is. */
export async function withDeadline<T>(options: DeadlineOptions, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new DeadlineExceeded(options.what, options.milliseconds));
  }, options.milliseconds);
  const abort = (): void => {
    controller.abort(options.signal?.reason);
  };
  if (options.signal?.aborted === true) abort();
  options.signal?.addEventListener('abort', abort);
  try {
    return await call(controller.signal);
  } catch (error) {
    if (controller.signal.reason instanceof DeadlineExceeded) throw controller.signal.reason;
    throw error;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', abort);
  }
}
