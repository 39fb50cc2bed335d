/** What can be waited for: a topic names the rows that changed, never how. */

/** A node's expected state. */
export const nodeTopic = (nodeId: string): string => `node:${nodeId}`;
/** A log stream, `build:<id>` or `allocation:<id>`. */
export const logTopic = (stream: string): string => `log:${stream}`;
export const rolloutTopic = (rolloutId: string): string => `rollout:${rolloutId}`;
/** A piece of work: claimed, credential minted, cancelled or finished. */
export const workTopic = (workItemId: string): string => `work:${workItemId}`;
/** An intent: its builds, rollouts and state, taken together. */
export const intentTopic = (intentId: string): string => `intent:${intentId}`;
