/**
 * Decides what may go on at the same time. A container may take its whole grace to stop: nothing waits for that but what needs what it
 * frees. Room is none of it: the control plane gives it away only when a container was seen gone.
 */
import { isRemoval, type Action, type ContainerAction, type Removal } from './action.ts';
import type { Observed } from './observed.ts';

/** However much has to be replaced: what serves is down while it is, and the node has to do it all. */
const replacedAtOnce = 3;

/** Those of the actions that are due, sorted, which need the end of no removal: of none under way and of none that is due too. */
export function sideBySide(due: readonly Action[], observed: Pick<Observed, 'containers' | 'underWay'>): Action[] {
  const addresses = new Map(observed.containers.map(({ containerId, ip }) => [containerId, ip]));
  let turns = replacedAtOnce - observed.underWay.filter(replacesWhatServes).length;
  return due.filter((action, index) => {
    if ('part' in action) return true;
    // Replicas take turns in their order, those that are dead first; what needs an address waits for whoever is to leave it.
    const others = action.kind === 'redeploy' ? due.filter((other, at) => at < index || isDead(other)) : due;
    const removals = [...observed.underWay, ...others.filter((other) => other !== action).filter(isRemoval)];
    if (removals.some((removal) => needsTheEnd(action, removal, addresses.get(removal.containerId) ?? null)))
      return false;
    return !replacesWhatServes(action) || turns-- > 0;
  });
}

function replacesWhatServes(action: Action): boolean {
  return action.kind === 'redeploy' && !action.force;
}

function isDead(action: Action): boolean {
  return action.kind === 'redeploy' && action.force;
}

/** One action for an allocation at a time, but for containers that nothing expects; one of a service's replicas is replaced at a time. */
function needsTheEnd(action: ContainerAction, removal: Removal, address: string | null): boolean {
  if ('containerId' in action && action.containerId === removal.containerId) return true;
  const isOfTheSame = action.allocationId === removal.allocationId;
  switch (action.kind) {
    case 'stop_orphan':
      return false;
    case 'start':
    case 'deploy_missing':
      return isOfTheSame || address === action.container.ip;
    case 'redeploy':
      return isOfTheSame || (!action.force && replacesOneOf(action.container.serviceId, removal));
  }
}

function replacesOneOf(serviceId: string, removal: Removal): boolean {
  return removal.kind === 'redeploy' && removal.container.serviceId === serviceId;
}
