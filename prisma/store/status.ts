/** What an agent reports, written in one statement that is scoped by its node: other nodes' allocations are out of reach (P61). */
import Type from 'typebox';
import Value from 'typebox/value';
import type { Pool, QueryConfig, QueryResultRow } from 'pg';
import type { Capability, NodeResources } from '../../core/contract/status.ts';
import type { MeshPlace } from '../../core/mesh/place.ts';
import { NodeFailure } from '../../core/node/failures.ts';
import { isWriteConflict } from '../conflict.ts';

/** One container of the report, as its allocation's row takes it. */
export interface AllocationReport {
  /** A UUID. */
  id: string;
  observed: 'pulling' | 'created' | 'running' | 'exited' | 'gone';
  health: 'none' | 'starting' | 'healthy' | 'unhealthy';
  detail: string | null;
  detailCode: string | null;
  lastLog: readonly string[];
  restarts: number;
}

export interface NodeReport {
  nodeId: string;
  epoch: string;
  sequence: number;
  at: Date;
  agentVersion: string;
  generation: number;
  converged: boolean;
  /** The agent is idle: what it does not report is not about to come back. */
  idle: boolean;
  allocations: readonly AllocationReport[];
  resources: NodeResources;
  publicAddress: string | null;
  capabilities: readonly Capability[];
  buildSlots: number;
}

export interface TakenReport {
  /** Of the node's expected state now. */
  generation: number;
  /** Its report before this one. */
  lastSeenAt: Date | null;
  /** It can do more, or makes more builds at once, than it reported before. */
  capabilitiesChanged: boolean;
  /** Unfinished rollouts that this report may move, with the version that names their wake-up. */
  moved: { id: string; factsVersion: number }[];
  /** Builds whose claimed attempt ended with the agent that held it, with the version that names their wake-up. */
  lost: { id: string; version: number }[];
  /** Reported, but no allocation of this node. */
  refused: string[];
  /** Where the node is placed in the mesh as yet. */
  place: MeshPlace;
  /** What it could not do, as written before this report. */
  failures: NodeFailure[];
}

type TakenRow = Omit<TakenReport, 'lost' | 'failures'> & { restarted: boolean | null; failures: unknown };

const Failures = Type.Array(NodeFailure);

/** Epochs remembered per node: a report is at most two clock windows late, and an agent starts less often than that. */
const rememberedEpochs = 16;

/** A node that reports more than this is wrong, and would soon leave no number for the next change. */
const highestGeneration = 1_000_000_000;

const statement = `
  WITH reported AS (
    SELECT * FROM jsonb_to_recordset($2::jsonb) AS r(
      id uuid, observed text, health text, detail text, "detailCode" text, "lastLog" jsonb, restarts int)
  ), before AS (
    SELECT id, "statusEpoch", "pastEpochs", "lastSeenAt", capabilities, "buildSlots", "appliedGeneration", failures,
      jsonb_build_object(
        'ownAddress', "ownAddress", 'seenAddress', "seenAddress", 'listenPort', "listenPort", 'endpoint', endpoint) AS place
    FROM "Node" WHERE id = $1::uuid AND "removedAt" IS NULL AND CASE
      WHEN "statusEpoch" = $3::text THEN "statusSequence" < $4::bigint
      ELSE NOT $3::text = ANY ("pastEpochs")
    END
    FOR NO KEY UPDATE
  ), accepted AS (
    UPDATE "Node" SET
      "statusEpoch" = $3::text,
      "statusSequence" = $4::bigint,
      "pastEpochs" = CASE
        WHEN before."statusEpoch" IS NULL OR before."statusEpoch" = $3::text THEN before."pastEpochs"
        ELSE (array_prepend(before."statusEpoch", before."pastEpochs"))[1:${rememberedEpochs}]
      END,
      "lastSeenAt" = $5::timestamptz,
      "agentVersion" = $6::text,
      "appliedGeneration" =
        CASE WHEN $8::bool THEN greatest("Node"."appliedGeneration", least($7::int, generation)) ELSE "Node"."appliedGeneration" END,
      -- Of a database that was put back to an earlier state: its agents know a later one, and refuse what is older (P21).
      generation = CASE
        WHEN $7::int > "Node".generation AND $7::int < ${highestGeneration} THEN $7::int + 1 ELSE "Node".generation
      END,
      resources = $9::jsonb,
      "publicAddress" = $10::text,
      capabilities = $11::jsonb,
      "buildSlots" = $13::int
    FROM before WHERE "Node".id = before.id
    RETURNING "Node".generation, "Node"."appliedGeneration" > before."appliedGeneration" AS advanced, before."lastSeenAt",
      before.capabilities <> $11::jsonb OR before."buildSlots" < $13::int AS "capabilitiesChanged", before."statusEpoch" <> $3::text AS restarted,
      before.place, before.failures
  ), changed AS (
    UPDATE "Allocation" SET
      observed = reported.observed::"AllocationObserved", health = reported.health::"AllocationHealth",
      detail = reported.detail, "detailCode" = reported."detailCode", "lastLog" = reported."lastLog",
      restarts = reported.restarts, version = version + 1, "observedAt" = $5::timestamptz
    FROM reported, accepted
    WHERE "Allocation".id = reported.id AND "nodeId" = $1::uuid AND "stoppedAt" IS NULL
      AND NOT (desired = 'stopped' AND reported.observed = 'gone')
      AND ("Allocation".observed::text, "Allocation".health::text, "Allocation".detail, "Allocation"."detailCode", "Allocation".restarts)
        IS DISTINCT FROM (reported.observed, reported.health, reported.detail, reported."detailCode", reported.restarts)
    RETURNING "serviceId"
  ), missing AS (
    UPDATE "Allocation" SET
      observed = 'gone', health = 'none', version = version + 1, "observedAt" = $5::timestamptz,
      "stoppedAt" = CASE WHEN desired = 'stopped' THEN $5::timestamptz END
    FROM accepted
    WHERE "nodeId" = $1::uuid AND "stoppedAt" IS NULL
      AND NOT EXISTS (SELECT 1 FROM reported WHERE reported.id = "Allocation".id AND reported.observed <> 'gone')
      AND CASE desired
        WHEN 'stopped' THEN $7::int >= accepted.generation
        ELSE $12::bool AND "Allocation".observed NOT IN ('unobserved', 'gone')
          AND NOT EXISTS (SELECT 1 FROM reported WHERE reported.id = "Allocation".id)
      END
    RETURNING "serviceId"
  ), movable AS (
    SELECT id FROM "Rollout", accepted
    WHERE "finishedAt" IS NULL AND (
      "serviceId" IN (SELECT "serviceId" FROM changed UNION SELECT "serviceId" FROM missing)
      OR (accepted.advanced AND stage IN ('dns_updating', 'traefik_updating')))
    ORDER BY id FOR NO KEY UPDATE OF "Rollout"
  ), moved AS (
    UPDATE "Rollout" SET "factsVersion" = "factsVersion" + 1 FROM movable WHERE "Rollout".id = movable.id
    RETURNING "Rollout".id, "factsVersion"
  )
  SELECT generation, "lastSeenAt", "capabilitiesChanged", restarted, place, failures,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'factsVersion', "factsVersion")), '[]') FROM moved) AS moved,
    (SELECT coalesce(array_agg(reported.id::text), '{}') FROM reported WHERE NOT EXISTS (
      SELECT 1 FROM "Allocation" WHERE "Allocation".id = reported.id AND "nodeId" = $1::uuid)) AS refused
  FROM accepted`;

/**
 * Ends the leases of builds that the node holds, oldest build first. A statement of its own, because it begins with builds (locks.ts): an
 * agent claims nothing before its first report is answered.
 */
const loseStatement = `
  WITH held AS (
    SELECT "Build".id FROM "WorkItem" JOIN "Build" ON "Build".id = "WorkItem"."buildId"
    WHERE "nodeId" = $1::uuid AND kind = 'build' AND "WorkItem".status = 'claimed'
    ORDER BY "Build".id FOR NO KEY UPDATE OF "Build"
  ), expired AS (
    UPDATE "WorkItem" SET status = 'expired', "credentialSealed" = NULL
    FROM held WHERE "buildId" = held.id AND "nodeId" = $1::uuid AND kind = 'build' AND status = 'claimed'
    RETURNING "buildId"
  )
  UPDATE "Build" SET version = version + 1 FROM expired WHERE "Build".id = expired."buildId"
  RETURNING "Build".id, version`;

/**
 * Takes the report when it is newer than the last one taken; null when it is not, or the node is gone. An allocation that
 * is to stop counts as gone once a report measured against a state without it no longer shows its container. Builds end
 * with the agent that makes them, so the first report of a new epoch ends the leases of the one before.
 */
export async function takeReport(pool: Pool, report: NodeReport): Promise<TakenReport | null> {
  const values = [
    report.nodeId,
    JSON.stringify(report.allocations),
    report.epoch,
    report.sequence,
    report.at,
    report.agentVersion,
    report.generation,
    report.converged,
    JSON.stringify(report.resources),
    report.publicAddress,
    JSON.stringify(report.capabilities),
    report.idle,
    report.buildSlots,
  ];
  const [taken] = await written<TakenRow>(pool, { name: 'take-report', text: statement, values });
  if (taken === undefined) return null;
  const { restarted, ...told } = taken;
  const lose = { name: 'lose-builds', text: loseStatement, values: [report.nodeId] };
  const lost = restarted === true ? await written<TakenReport['lost'][number]>(pool, lose) : [];
  return { ...told, failures: Value.Check(Failures, told.failures) ? told.failures : [], lost };
}

/** Unless a later report of the node was taken meanwhile, which has the word then. */
export async function writeFailures(
  pool: Pool,
  { nodeId, epoch, sequence }: Pick<NodeReport, 'nodeId' | 'epoch' | 'sequence'>,
  failures: readonly NodeFailure[],
): Promise<void> {
  await pool.query(
    `UPDATE "Node" SET failures = $4::jsonb
     WHERE id = $1::uuid AND "removedAt" IS NULL AND "statusEpoch" = $2::text AND "statusSequence" = $3::bigint`,
    [nodeId, epoch, sequence, JSON.stringify(failures)],
  );
}

/** Runs the statement, and anew when it conflicts with another writer. Gives its rows. */
async function written<Row extends QueryResultRow>(pool: Pool, query: QueryConfig): Promise<Row[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await pool.query<Row>(query)).rows;
    } catch (error) {
      if (attempt >= 5 || !isWriteConflict(error)) throw error;
    }
  }
}

export type RefusedReport = 'epoch_stale' | 'sequence_stale' | 'node_removed';

/** Why `takeReport` gave null. */
export async function whyRefused(pool: Pool, report: Pick<NodeReport, 'nodeId' | 'epoch'>): Promise<RefusedReport> {
  const { rows } = await pool.query<{ removed: boolean; past: boolean }>(
    'SELECT "removedAt" IS NOT NULL AS removed, $2 = ANY ("pastEpochs") AS past FROM "Node" WHERE id = $1',
    [report.nodeId, report.epoch],
  );
  const [node] = rows;
  if (node === undefined || node.removed) return 'node_removed';
  return node.past ? 'epoch_stale' : 'sequence_stale';
}
