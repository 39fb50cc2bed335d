/** Why a build failed, in the closed codes of the contract: everything between claim and finish throws this. */
import type { Annotation, BuildFailureCode } from '../../core/contract/work.ts';

export class BuildFailed extends Error {
  override readonly name = 'BuildFailed';
  readonly code: BuildFailureCode;
  readonly annotations: readonly Annotation[];

  constructor(code: BuildFailureCode, message: string, options: { annotations?: Annotation[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.annotations = options.annotations ?? [];
  }
}
