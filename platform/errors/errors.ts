/** Errors that carry policy: what the one who catches them does next is in their class, never in their text. */

/** Goes no further until a person changes something. Never retried. */
export class StalledError extends Error {
  override readonly name = 'StalledError';
  readonly code: string;
  /** What to do about it. */
  readonly hint: string | null;

  constructor(code: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? null;
  }
}

/** Not now: worth another look at a time that is known. */
export class WaitingError extends Error {
  override readonly name = 'WaitingError';
  readonly code: string;
  readonly until: Date;

  constructor(code: string, message: string, options: { until: Date; cause?: unknown }) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.until = options.until;
  }
}

/** Nothing to do, and that is fine: the subject is gone, or someone else has done it. */
export class IgnoredError extends Error {
  override readonly name = 'IgnoredError';
  readonly code: string;

  /** @param why The whole reason, as a sentence. */
  constructor(code: string, why: string) {
    super(why);
    this.code = code;
  }

  get why(): string {
    return this.message;
  }
}

/** What someone handed in is wrong. The same input never succeeds. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly code: string;
  /** Where in the input, as a JSON pointer or a variable's name. */
  readonly path: string | null;

  constructor(code: string, message: string, options: { path?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.path = options.path ?? null;
  }
}
