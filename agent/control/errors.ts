/** What can go wrong between the agent and the control plane, told apart by code. */
import type { ApiErrorCode } from '../../platform/errors/api-codes.ts';
import { messageOf } from '../../platform/errors/classify.ts';

/** The control plane was not reached, did not answer in time, or broke off: worth another try. */
export class ControlUnreachable extends Error {
  override readonly name = 'ControlUnreachable';
  readonly code = 'control_unreachable';

  constructor(url: string, cause: unknown) {
    super(`The control plane at ${url} cannot be reached: ${reasonOf(cause)}.`, { cause });
  }
}

/** The control plane answered, and the answer is no. */
export class ControlRefused extends Error {
  override readonly name = 'ControlRefused';
  readonly status: number;
  /** Of platform/errors/api-codes.ts; null when the answer carries none. */
  readonly code: ApiErrorCode | null;

  constructor(status: number, code: ApiErrorCode | null, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Whether trying again can help: an outage can pass, a refusal of this very request cannot. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ControlUnreachable) return true;
  return error instanceof ControlRefused && (error.status >= 500 || error.status === 429 || error.status === 408);
}

function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(reasonOf).join('; ');
  return messageOf(cause).replace(/\.$/, '');
}
