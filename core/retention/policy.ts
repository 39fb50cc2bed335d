/** How long what only explains the past is kept. Whatever serves, runs, goes on or can be rolled back to is kept in any case. */

const minute = 60_000;
const day = 24 * 60 * minute;

/** In milliseconds. A nonce only has to outlive the clock window of a signature. */
export const keptMs = {
  nonces: 5 * minute,
  deliveries: 30 * day,
  logs: 30 * day,
  outbox: 30 * day,
  /** After they have ended; and the newest of each service in any case. */
  history: 90 * day,
  /** Who did what, and why. */
  auditEvents: 365 * day,
  /** After they have run out. */
  registrationTokens: 30 * day,
} as const;

/**
 * Releases, rollouts and builds of each service, intents of each environment: so many are kept however old they are. Heads of each ref: so
 * many while it is pushed to, then the last.
 */
export const keptNewest = 50;

/** Releases of a service whose images stay on the nodes that ran it: what it is most likely to be rolled back to. */
export const keptImageReleases = 5;
