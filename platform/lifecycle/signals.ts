/** The end of a process: the first SIGINT or SIGTERM, or its parent going away, asks it to stop. */

/** Resolves with what asked for the end. A second signal ends the process at once. */
export function endAsked(): Promise<string> {
  return new Promise((resolve) => {
    const ask = (signal: NodeJS.Signals): void => {
      resolve(signal);
      process.once(signal, () => process.exit(130));
    };
    process.once('SIGINT', ask);
    process.once('SIGTERM', ask);
    process.once('disconnect', () => resolve('its parent ended'));
  });
}
