/** Every comparison, by name, in the order in which they are measured. */
import { benchBuildKit } from './buildkit/bench.ts';
import { benchDeploy } from './deploy/deploy.ts';
import { benchExpectedState } from './expected-state/expected-state.ts';
import { benchIntake } from './intake/intake.ts';
import type { BenchRow } from './row.ts';

export interface Measured {
  rows: BenchRow[];
  /** Markdown for RESULTS.md. */
  details?: string;
}

const note = (line: string): void => console.error(`  ${line}`);

export const benches: Record<string, () => Promise<Measured>> = {
  deploy: benchDeploy,
  intake: async () => ({ rows: await benchIntake() }),
  'expected-state': async () => ({ rows: await benchExpectedState() }),
  buildkit: async () => ({ rows: await benchBuildKit({ runs: 11, note }) }),
};
