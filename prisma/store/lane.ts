/** One flusher per lane, over all processes: an advisory lock that goes with its connection. */
import type { Pool } from 'pg';

/** The class of advisory locks that lanes use, so that no other lock of ours meets them. */
const laneLocks = 0x1a7e;

/**
 * Runs `work` while this process alone holds the installation's lane. Gives null when another holds it: that one
 * re-reads the lane after it lets go, so nothing written before this call is missed.
 */
export async function withLane<T>(pool: Pool, installationId: number, work: () => Promise<T>): Promise<T | null> {
  const client = await pool.connect();
  const key = [laneLocks, installationId % 2 ** 31];
  try {
    const { rows } = await client.query<{ held: boolean }>(
      'SELECT pg_try_advisory_lock($1::int, $2::int) AS held',
      key,
    );
    if (rows[0]?.held !== true) return null;
    try {
      return await work();
    } finally {
      await client.query('SELECT pg_advisory_unlock($1::int, $2::int)', key);
    }
  } finally {
    client.release();
  }
}
