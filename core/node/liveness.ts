/** Whether a node counts as live: heard from within the lease that every report renews. */

/** Agents report at least every 10 s; three missed reports make a node silent. */
export const nodeLeaseMs = 30_000;

export function isLive(node: { lastSeenAt: Date | null }, now: Date): boolean {
  return node.lastSeenAt !== null && now.getTime() - node.lastSeenAt.getTime() < nodeLeaseMs;
}

/** When a live node becomes silent unless it reports again; null when it is silent already. */
export function silentAt(node: { lastSeenAt: Date | null }, now: Date): Date | null {
  if (node.lastSeenAt === null || !isLive(node, now)) return null;
  return new Date(node.lastSeenAt.getTime() + nodeLeaseMs);
}
