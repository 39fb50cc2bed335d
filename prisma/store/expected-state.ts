/** The rows behind a node's expected state, all of one moment. Every change to them bumps the node's generation (nodes.ts). */
import Type from 'typebox';
import Value from 'typebox/value';
import type { WorkOffer } from '../../core/contract/work.ts';
import { transaction, type Database } from '../client.ts';
import { workOffers } from './work-items.ts';

export interface ExpectedAllocation {
  allocationId: string;
  serviceId: string;
  serviceName: string;
  environment: string;
  releaseId: string;
  generation: number;
  ip: string;
  imageName: string;
  imageDigest: string;
  /** As stored: whoever uses it checks it, for this one service alone (P04). */
  spec: unknown;
  /** The secrets that the spec names, each an envelope. */
  secrets: ExpectedSecret[];
}

export interface ExpectedSecret {
  id: string;
  name: string;
  version: number;
  valueSealed: Uint8Array;
}

export interface ExpectedSnapshot {
  node: { id: string; generation: number; subnet: number; sealingKey: string };
  allocations: ExpectedAllocation[];
  work: WorkOffer[];
}

/** Null when the node is gone. */
export async function loadExpectedSnapshot(database: Database, nodeId: string): Promise<ExpectedSnapshot | null> {
  return transaction(
    database,
    async (tx) => {
      const node = await tx.node.findFirst({
        where: { id: nodeId, removedAt: null },
        select: { id: true, generation: true, subnet: true, sealingKey: true },
      });
      if (node === null) return null;
      const rows = await tx.allocation.findMany({
        where: { nodeId, desired: 'running' },
        include: { release: true, service: { include: { environment: true } } },
        orderBy: { id: 'asc' },
      });
      const environmentIds = [...new Set(rows.map(({ service }) => service.environmentId))];
      const secrets = await tx.secret.findMany({
        where: { environmentId: { in: environmentIds } },
        orderBy: { name: 'asc' },
      });
      const allocations = rows.map(({ release, service, ...allocation }) => ({
        allocationId: allocation.id,
        serviceId: service.id,
        serviceName: service.name,
        environment: service.environment.name,
        releaseId: release.id,
        generation: allocation.generation,
        ip: allocation.ip,
        imageName: release.imageName,
        imageDigest: release.imageDigest,
        spec: release.spec,
        secrets: named(release.spec, (name) =>
          secrets
            .filter((secret) => secret.environmentId === service.environmentId && secret.name === name)
            // A secret of the service itself goes before one of the whole environment.
            .toSorted((a, b) => b.service.length - a.service.length)
            .find((secret) => secret.service === service.name || secret.service === ''),
        ),
      }));
      return { node, allocations, work: await workOffers(tx, nodeId) };
    },
    { isolationLevel: 'RepeatableRead' },
  );
}

const SecretNames = Type.Object({ secrets: Type.Array(Type.String()) });

/** A spec that cannot be read names none: its service is left out later, with the reason. */
function named(spec: unknown, find: (name: string) => ExpectedSecret | undefined): ExpectedSecret[] {
  if (!Value.Check(SecretNames, spec)) return [];
  return spec.secrets.flatMap((name) => find(name) ?? []);
}
