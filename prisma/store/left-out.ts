/** The rows behind core's verdict on which replicas are left out of the expected state of their nodes (core/expected/left-out.ts). */
import Type from 'typebox';
import Value from 'typebox/value';
import { leftOutReplicas, type LeftOut, type SecretFact } from '../../core/expected/left-out.ts';
import type { LeftOutReplica } from '../../core/contract/left-out.ts';
import { reasons } from '../../core/intent/reasons.ts';
import { containerCidr, type AddressPools } from '../../core/node/addresses.ts';
import type { MasterKeys } from '../../platform/crypto/envelope.ts';
import { secretFact } from '../../platform/crypto/secret-fact.ts';
import { Prisma, type Db } from '../client.ts';

/** What a verdict needs besides the rows. */
export interface LeftOutContext {
  masterKeys: MasterKeys;
  pools: AddressPools;
}

export interface ReplicaRow {
  id: string;
  nodeId: string;
  serviceId: string;
  serviceName: string;
  generation: number;
  ip: string;
  desired: 'running' | 'stopped';
  imageDigest: string;
  spec: unknown;
  subnet: number;
  /** Of the release: PinnedSecrets. */
  secrets: unknown;
}

/** The columns of a ReplicaRow, of `allocation`, `node`, `service` and `release`. */
export const replicaColumns = Prisma.sql`
  allocation.id, allocation."nodeId", allocation."serviceId", service.name AS "serviceName", allocation.generation, allocation.ip,
  allocation.desired, release."imageDigest", release.spec, node.subnet, (
    SELECT jsonb_agg(jsonb_build_object('id', secret.id, 'name', secret.name, 'envelope', encode(secret."valueSealed", 'base64')))
    FROM "ReleaseSecret" AS pin JOIN "Secret" AS secret ON secret.id = pin."secretId"
    WHERE pin."releaseId" = release.id) AS secrets`;

/** Allocations that are not gone, with what they are of. */
export const replicaTables = Prisma.sql`
  "Allocation" AS allocation
    JOIN "Node" AS node ON node.id = allocation."nodeId"
    JOIN "Service" AS service ON service.id = allocation."serviceId"
    JOIN "Release" AS release ON release.id = allocation."releaseId"`;

const PinnedSecrets = Type.Array(Type.Object({ id: Type.String(), name: Type.String(), envelope: Type.String() }));

/** By allocation, of those of the rows that are to run. */
export function leftOutOf(rows: readonly ReplicaRow[], { masterKeys, pools }: LeftOutContext): Map<string, LeftOut> {
  // The replicas of one release have the same.
  const opened = new Map<string, SecretFact>();
  const open = (stored: { id: string; name: string; envelope: string }): SecretFact => {
    const valueSealed = Buffer.from(stored.envelope, 'base64');
    const fact = opened.get(stored.id) ?? secretFact(masterKeys, { ...stored, valueSealed });
    opened.set(stored.id, fact);
    return fact;
  };
  const toRun = rows.filter(({ desired }) => desired === 'running');
  return leftOutReplicas(
    toRun.map(({ id, secrets, subnet, ...row }) => ({
      ...row,
      allocationId: id,
      containerCidr: containerCidr(pools, subnet),
      secrets: Value.Check(PinnedSecrets, secrets) ? secrets.map(open) : [],
    })),
  );
}

export interface LeftOutQuery {
  serviceId?: string;
  nodeId?: string;
}

/** Of everything that is to run anywhere, or of this, in the order of services and nodes. */
export async function readLeftOut(
  db: Db,
  context: LeftOutContext,
  { serviceId, nodeId }: LeftOutQuery = {},
): Promise<LeftOutReplica[]> {
  const rows = await db.$queryRaw<(ReplicaRow & { replica: number; nodeName: string })[]>`
    SELECT ${replicaColumns}, allocation.replica, node.name AS "nodeName" FROM ${replicaTables}
    WHERE allocation.desired = 'running' AND allocation."stoppedAt" IS NULL AND node."removedAt" IS NULL
      AND (${serviceId ?? null}::uuid IS NULL OR allocation."serviceId" = ${serviceId ?? null}::uuid)
      AND (${nodeId ?? null}::uuid IS NULL OR allocation."nodeId" = ${nodeId ?? null}::uuid)
    ORDER BY service.name, allocation."serviceId", allocation.replica, node.name, allocation.id`;
  const found = leftOutOf(rows, context);
  return rows.flatMap(({ id, serviceName, replica, nodeName, ...row }) => {
    const why = found.get(id);
    if (why === undefined) return [];
    const of = { allocationId: id, serviceId: row.serviceId, serviceName, replica, nodeId: row.nodeId, nodeName };
    return [{ ...of, ...why, todo: reasons[why.code].todo }];
  });
}
