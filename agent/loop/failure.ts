/** Why an action did not succeed, in the closed codes of the status report. */
import type { ObservedContainer } from '../../core/contract/status.ts';

export type DetailCode = NonNullable<ObservedContainer['detailCode']>;

export class ActionFailed extends Error {
  override readonly name = 'ActionFailed';
  readonly code: DetailCode;

  constructor(code: DetailCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}
