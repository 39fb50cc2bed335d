/** Reports a configuration file that could not be taken: one failed check run, with annotations at the lines. */
import type { ConfigIssue } from '../spec/config.ts';
import type { Write } from './writes.ts';

export type BrokenConfig = {
  repositoryId: number;
  sha: string;
  /** Of the file. */
  path: string;
  issues: readonly ConfigIssue[];
};

export function brokenConfigWrites(_broken: BrokenConfig, _now: Date): Write[] {
  throw new Error('not written yet');
}
