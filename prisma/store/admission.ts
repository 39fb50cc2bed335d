/** Hot statements about nodes, for many requests at once: nonces taken and nodes read in one round trip. */
import type { Pool } from 'pg';

export interface AskedNonce {
  nodeId: string;
  nonce: string;
  /** When the request says it was signed. */
  at: Date;
}

export interface NodeNow {
  generation: number;
  removed: boolean;
}

export interface AdmittedNow extends NodeNow {
  /** Ed25519, raw, base64url. */
  signingKey: string;
}

export interface Admission {
  /** False: this node has used this nonce before. */
  fresh: boolean;
  /** null: no such node. */
  node: AdmittedNow | null;
}

const takeStatement = `
  WITH asked AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) WITH ORDINALITY AS a("nodeId", nonce, at, position)
  ), taken AS (
    INSERT INTO "Nonce" ("nodeId", nonce, at)
    SELECT asked."nodeId", asked.nonce, asked.at FROM asked JOIN "Node" ON "Node".id = asked."nodeId"
    ON CONFLICT DO NOTHING RETURNING "nodeId", nonce
  )
  SELECT taken.nonce IS NOT NULL AS fresh, "Node".generation, "Node"."removedAt" IS NOT NULL AS removed, "Node"."signingKey"
  FROM asked LEFT JOIN taken USING ("nodeId", nonce) LEFT JOIN "Node" ON "Node".id = asked."nodeId"
  ORDER BY asked.position`;

/** Takes each nonce for its node. No pair may be in `asked` twice: the caller knows that without asking. */
export async function takeNonces(pool: Pool, asked: readonly AskedNonce[]): Promise<Admission[]> {
  const { rows } = await pool.query<{ fresh: boolean } & ({ generation: null } | AdmittedNow)>({
    name: 'take-nonces',
    text: takeStatement,
    values: [asked.map(({ nodeId }) => nodeId), asked.map(({ nonce }) => nonce), asked.map(({ at }) => at)],
  });
  return rows.map(({ fresh, ...node }) => ({ fresh, node: node.generation === null ? null : node }));
}

/** The nodes as they are now, in the order asked. */
export async function readNodes(pool: Pool, nodeIds: readonly string[]): Promise<(NodeNow | null)[]> {
  const { rows } = await pool.query<{ generation: number | null; removed: boolean }>({
    name: 'read-nodes',
    text: `
      SELECT "Node".generation, "Node"."removedAt" IS NOT NULL AS removed
      FROM unnest($1::uuid[]) WITH ORDINALITY AS asked(id, position) LEFT JOIN "Node" USING (id)
      ORDER BY asked.position`,
    values: [nodeIds],
  });
  return rows.map(({ generation, removed }) => (generation === null ? null : { generation, removed }));
}

/** The public keys that sign for these nodes, removed ones included, in the order asked. */
export async function readSigningKeys(pool: Pool, nodeIds: readonly string[]): Promise<(string | null)[]> {
  const { rows } = await pool.query<{ signingKey: string | null }>({
    name: 'read-signing-keys',
    text: `
      SELECT "Node"."signingKey" FROM unnest($1::uuid[]) WITH ORDINALITY AS asked(id, position) LEFT JOIN "Node" USING (id)
      ORDER BY asked.position`,
    values: [nodeIds],
  });
  return rows.map(({ signingKey }) => signingKey);
}
