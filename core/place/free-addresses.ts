/** Which addresses a node can give to new containers, and in which order. */

export type KnownAddress = { ip: string; stoppedAt: Date | null };

/**
 * `.2` to `.254` of the node's /24 without those in use: never used ones first, then the one whose last user is gone longest.
 * An address counts as in use until its container was seen gone.
 */
export function freeAddresses(containerCidr: string, known: readonly KnownAddress[]): string[] {
  const lastUse = new Map<string, number>();
  for (const { ip, stoppedAt } of known) {
    const until = stoppedAt?.getTime() ?? Number.POSITIVE_INFINITY;
    lastUse.set(ip, Math.max(until, lastUse.get(ip) ?? 0));
  }
  const prefix = containerCidr.slice(0, containerCidr.lastIndexOf('.') + 1);
  return Array.from({ length: 253 }, (_, index) => ({ ip: `${prefix}${index + 2}`, host: index + 2 }))
    .map(({ ip, host }) => ({ ip, host, usedUntil: lastUse.get(ip) ?? 0 }))
    .filter(({ usedUntil }) => usedUntil < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.usedUntil - b.usedUntil || a.host - b.host)
    .map(({ ip }) => ip);
}
