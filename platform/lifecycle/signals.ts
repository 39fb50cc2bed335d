/** The end of a process: the first SIGINT or SIGTERM, or its parent going away, asks it to stop. */

/** The kernel tells of a parent that is killed once for each of its threads (prctl(2)): that is not a person who insists. */
const sameMs = 1_000;

/** Resolves with what asked for the end. A signal that comes a second later or more ends the process at once. */
export function endAsked(): Promise<string> {
  return new Promise((resolve) => {
    let asked: number | null = null;
    const ask = (signal: NodeJS.Signals): void => {
      const now = performance.now();
      if (asked !== null && now - asked >= sameMs) process.exit(130);
      asked ??= now;
      resolve(signal);
    };
    process.on('SIGINT', ask);
    process.on('SIGTERM', ask);
    process.once('disconnect', () => resolve('its parent ended'));
  });
}
