/** A preparation that cannot go on, with a sentence for the person: printed without a stack trace. */
export class Failure extends Error {}

/** Prints what stopped the command and leaves exit code 1. @param {unknown} error */
export function fail(error) {
  console.error(error instanceof Failure ? error.message : error);
  process.exitCode = 1;
}
