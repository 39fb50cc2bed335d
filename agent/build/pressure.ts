/** Refuses builds while the machine is short of what the services beside them need (P80). */
import type { NodeResources } from '../../core/contract/status.ts';

const megabyte = 1024 ** 2;
const minMemoryFree = 256 * megabyte;
const minDiskFree = 1024 * megabyte;

/** Builds that may be made here at once: as many as the machine takes, none while it is short. */
export function buildSlots(resources: NodeResources, concurrency: number): number {
  return buildPressure(resources) === null ? concurrency : 0;
}

/** Why no build may start now, as a sentence; null when one may. */
export function buildPressure(resources: Pick<NodeResources, 'memoryFreeBytes' | 'diskFreeBytes'>): string | null {
  const { memoryFreeBytes, diskFreeBytes } = resources;
  if (memoryFreeBytes < minMemoryFree) {
    return `only ${Math.round(memoryFreeBytes / megabyte)} MiB of memory are free, and the services need them.`;
  }
  if (diskFreeBytes < minDiskFree) return `only ${Math.round(diskFreeBytes / megabyte)} MiB of the disk are free.`;
  return null;
}
