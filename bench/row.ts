/** One row of the results: what ours took, what the peer took, and whether the target is met. */
export interface BenchRow {
  id: string;
  /** Median of the runs, in `unit`. */
  ours: number;
  /** The same for the peer, measured in the same run; null when there is none. */
  peer: number | null;
  unit: string;
  /** ours / peer; null without a peer. */
  ratio: number | null;
  /** As a person reads it: `≤ 1.2 ×`. */
  target: string;
  /** Null where there is no target. */
  met: boolean | null;
  runs: number;
}
