/** The end of a process: the first SIGINT or SIGTERM, or its parent going away, asks it to stop. */

/** A terminal and a shell may both hand on the same Ctrl-C. */
const sameMs = 1_000;

/**
 * Whether a further signal is a person who does not want to wait. SIGTERM never is: of a parent that is killed the kernel tells once
 * for each of its threads (prctl(2)), which may be seconds apart, and whoever manages processes has SIGKILL for those that do not end.
 */
export function isInsisting(signal: NodeJS.Signals, sinceFirstMs: number): boolean {
  return signal === 'SIGINT' && sinceFirstMs >= sameMs;
}

/** Resolves with what asked for the end. A Ctrl-C that comes a second later or more ends the process at once. */
export function endAsked(): Promise<string> {
  return new Promise((resolve) => {
    let asked: number | null = null;
    const ask = (signal: NodeJS.Signals): void => {
      const now = performance.now();
      if (asked !== null && isInsisting(signal, now - asked)) process.exit(130);
      asked ??= now;
      resolve(signal);
    };
    process.on('SIGINT', ask);
    process.on('SIGTERM', ask);
    process.once('disconnect', () => resolve('its parent ended'));
  });
}
