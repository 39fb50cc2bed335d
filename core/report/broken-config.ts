/** Reports a configuration file that could not be taken: one failed check run, with annotations at the lines. */
import { digestOf } from '../spec/digest.ts';
import type { ConfigIssue } from '../spec/config.ts';
import { clip, clipLines, inline, maxOutputBytes, plain } from './text.ts';
import type { Write } from './writes.ts';

export type BrokenConfig = {
  repositoryId: number;
  sha: string;
  /** Of the file. */
  path: string;
  issues: readonly ConfigIssue[];
};

const maxAnnotations = 50;

/** Owed once for the same commit and issues. */
export function brokenConfigWrites({ repositoryId, sha, path, issues }: BrokenConfig, now: Date): Write[] {
  const id = `config:${repositoryId}:${sha}:${digestOf(issues).slice(7, 19)}`;
  const at = now.toISOString();
  const output = { title: title(path, issues), summary: summary(path, issues), annotations: annotations(issues) };
  return [
    {
      key: `${id}:check:create`,
      kind: 'createCheckRun',
      coalesceKey: null,
      payload: {
        repositoryId,
        intentId: null,
        body: {
          name: 'Landfall',
          head_sha: sha,
          external_id: id,
          status: 'completed',
          conclusion: 'failure',
          started_at: at,
          completed_at: at,
          output,
        },
      },
    },
  ];
}

function title(path: string, issues: readonly ConfigIssue[]): string {
  return clip(`${plain(path)} cannot be understood: ${issues.length} ${issues.length === 1 ? 'issue' : 'issues'}`, 255);
}

function summary(path: string, issues: readonly ConfigIssue[]): string {
  const lines = issues.map(({ line, message }) => `- line ${line}: ${inline(clip(message, 1_000))}`);
  const more = issues.length > maxAnnotations ? ` The first ${maxAnnotations} are annotated.` : '';
  const text = [
    `Nothing is deployed from this commit; what runs keeps running. Fix ${inline(path)} and push again.${more}`,
    lines.join('\n'),
  ];
  return clipLines(text.join('\n\n'), maxOutputBytes);
}

function annotations(issues: readonly ConfigIssue[]) {
  return issues.slice(0, maxAnnotations).map(({ path, line, endLine, message }) => ({
    path,
    start_line: line,
    end_line: endLine,
    annotation_level: 'failure' as const,
    message: clip(plain(message), 4_000),
  }));
}
