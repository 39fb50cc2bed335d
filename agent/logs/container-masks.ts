/**
 * Masks each container's secrets in what it writes, also in its last lines, when nothing expects it any more. What cannot be masked,
 * because the secrets behind it were never known here, is not shown.
 */
import type { ExpectedContainer, ExpectedState } from '../../core/contract/expected-state.ts';
import { secretMask, type SecretMask } from '../../core/log/mask.ts';
import { messageOf } from '../../platform/errors/classify.ts';

export interface ContainerMasks {
  /** Keeps the secrets of what is expected, and of what is still there; forgets all others. Gives the same state back. */
  readonly remember: (expected: ExpectedState | null, present: ReadonlySet<string>) => ExpectedState | null;
  /** Null: what this container writes must not leave the node. */
  readonly of: (allocationId: string) => SecretMask | null;
}

export interface ContainerMasksOptions {
  /** Throws when they do not open. */
  open: (container: ExpectedContainer) => Readonly<Record<string, string>>;
  log: (line: string) => void;
}

interface Known {
  sealed: string | null;
  /** Of every sealed text that this allocation came with. */
  values: ReadonlySet<string>;
  mask: SecretMask | null;
}

export function containerMasks({ open, log }: ContainerMasksOptions): ContainerMasks {
  const known = new Map<string, Known>();

  const learn = (container: ExpectedContainer): void => {
    const before = known.get(container.allocationId);
    if (before?.sealed === container.sealedSecrets) return;
    const sealed = container.sealedSecrets;
    const opened = valuesOf(container);
    const values = new Set([...(before?.values ?? []), ...(opened ?? [])]);
    known.set(container.allocationId, { sealed, values, mask: opened === null ? null : secretMask([...values]) });
  };
  const valuesOf = (container: ExpectedContainer): string[] | null => {
    try {
      return Object.values(open(container));
    } catch (error) {
      const why = messageOf(error);
      log(`The log of ${container.serviceName} is not shown, because its secrets cannot be masked: ${why}`);
      return null;
    }
  };

  return {
    remember: (expected, present) => {
      const containers = expected?.containers ?? [];
      containers.forEach(learn);
      const wanted = new Set(containers.map(({ allocationId }) => allocationId));
      for (const id of known.keys()) if (!wanted.has(id) && !present.has(id)) known.delete(id);
      return expected;
    },
    of: (allocationId) => known.get(allocationId)?.mask ?? null,
  };
}
