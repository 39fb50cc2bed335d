/** The allocations of a service as its rollouts see them: where they are, how they are, and whether their nodes are told of them. */
import Type from 'typebox';
import Value from 'typebox/value';
import type { AllocationFact, RolloutFacts } from '../../core/rollout/facts.ts';
import type { Db } from '../client.ts';
import { leftOutOf, replicaColumns, replicaTables, type LeftOutContext, type ReplicaRow } from './left-out.ts';

const LastLog = Type.Array(Type.String());

interface AllocationRow extends ReplicaRow, Omit<AllocationFact, keyof ReplicaRow | 'lastLog' | 'leftOut'> {
  lastLog: unknown;
  nodeName: string;
  nodeLastSeenAt: Date | null;
}

type AllocationFacts = Pick<RolloutFacts, 'allocations' | 'nodes'>;

/** Those of the service that are not gone, with their nodes. No other has an address of theirs: an index of the database sees to that. */
export async function loadAllocations(db: Db, serviceId: string, context: LeftOutContext): Promise<AllocationFacts> {
  const rows = await db.$queryRaw<AllocationRow[]>`
    SELECT ${replicaColumns}, allocation."rolloutId", allocation."releaseId", allocation.replica, allocation.observed,
      allocation.health, allocation."detailCode", allocation.detail, allocation."lastLog", allocation.restarts,
      node.name AS "nodeName", node."lastSeenAt" AS "nodeLastSeenAt"
    FROM ${replicaTables}
    WHERE allocation."serviceId" = ${serviceId}::uuid AND allocation."stoppedAt" IS NULL
    ORDER BY allocation.id`;
  const leftOut = leftOutOf(rows, context);
  return {
    allocations: rows.map((row) => allocationFact(row, leftOut.get(row.id) ?? null)),
    nodes: [
      ...new Map(
        rows.map(({ nodeId, nodeName, nodeLastSeenAt }) => [
          nodeId,
          { id: nodeId, name: nodeName, lastSeenAt: nodeLastSeenAt },
        ]),
      ).values(),
    ],
  };
}

function allocationFact(row: AllocationRow, leftOut: AllocationFact['leftOut']): AllocationFact {
  const { id, rolloutId, releaseId, nodeId, replica, desired, observed, health, detailCode, detail, restarts } = row;
  const lastLog = Value.Check(LastLog, row.lastLog) ? row.lastLog : [];
  return {
    ...{ id, rolloutId, releaseId, nodeId, replica, desired, observed, health, detailCode, detail, restarts },
    lastLog,
    leftOut,
  };
}
