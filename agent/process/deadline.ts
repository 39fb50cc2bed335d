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

/**
 * Runs `call` with a signal that is aborted at the deadline (reason: DeadlineExceeded) or when the outer signal is. Calling `extend` puts
 * the deadline off by so many milliseconds.
 */
export async function withDeadline<T>(
  options: DeadlineOptions,
  call: (signal: AbortSignal, extend: (milliseconds: number) => void) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let allowed = options.milliseconds;
  let waited = allowed;
  const expire = (): void => {
    if (waited === allowed) controller.abort(new DeadlineExceeded(options.what, allowed));
    else timer = setTimeout(expire, allowed - waited);
    waited = allowed;
  };
  let timer = setTimeout(expire, allowed);
  const extend = (milliseconds: number): void => {
    allowed += milliseconds;
  };
  const abort = (): void => {
    controller.abort(options.signal?.reason);
  };
  if (options.signal?.aborted === true) abort();
  options.signal?.addEventListener('abort', abort);
  try {
    return await call(controller.signal, extend);
  } catch (error) {
    if (controller.signal.reason instanceof DeadlineExceeded) throw controller.signal.reason;
    throw error;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', abort);
  }
}
