/** The labels by which an agent knows its own containers. */
import type { ExpectedContainer } from '../contract/expected-state.ts';

export const labelNames = {
  allocationId: 'landfall.allocation.id',
  serviceId: 'landfall.service.id',
  serviceName: 'landfall.service.name',
  spec: 'landfall.spec',
} as const;

export function labelsOf(container: ExpectedContainer): Record<string, string> {
  return {
    [labelNames.allocationId]: container.allocationId,
    [labelNames.serviceId]: container.serviceId,
    [labelNames.serviceName]: container.serviceName,
    [labelNames.spec]: container.specDigest,
  };
}
