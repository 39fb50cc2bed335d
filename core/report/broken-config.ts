/** Reports a commit whose files cannot be taken: one failed check run, with annotations at the lines. */
import { reasons } from '../intent/reasons.ts';
import { digestOf } from '../spec/digest.ts';
import type { ConfigIssue } from '../spec/config.ts';
import { clip, clipLines, inline, maxOutputBytes, maxTitle, plain } from './text.ts';
import type { Write } from './writes.ts';

export type BrokenCode =
  | 'config_invalid'
  | 'dockerfile_invalid'
  | 'nothing_to_deploy'
  /** What is in them is not known: whoever read them did not live to tell. */
  | 'server_ended';

export type BrokenConfig = {
  repositoryId: number;
  sha: string;
  code: BrokenCode;
  /** Whose file it is: the commit's own, or the one of another commit, the default branch's, which gives the rules. */
  of: { kind: 'commit' } | { kind: 'rules'; branch: string; sha: string };
  /** Of one file; none when there is no file. */
  issues: readonly ConfigIssue[];
};

const maxAnnotations = 50;

/** Owed once for the same commit, code and issues. */
export function brokenConfigWrites(broken: BrokenConfig, now: Date): Write[] {
  const { repositoryId, sha, code, of, issues } = broken;
  const id = `config:${repositoryId}:${sha}:${digestOf({ code, of, issues }).slice(7, 19)}`;
  const at = now.toISOString();
  const output = { title: title(broken), summary: summary(broken), annotations: annotations(broken) };
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

/** What is wrong, in one sentence: on the delivery. */
export function brokenReason(broken: Pick<BrokenConfig, 'code' | 'of' | 'issues'>): string {
  const [first] = broken.issues;
  const { means, todo } = reasons[broken.code];
  return first === undefined ? `${means} ${todo}` : `${fileOf(first, broken)} cannot be understood: ${first.message}`;
}

function title({ code, of, issues }: BrokenConfig): string {
  const [first] = issues;
  if (first === undefined) return reasons[code].means.replace(/\.$/, '');
  const count = `${issues.length} ${issues.length === 1 ? 'issue' : 'issues'}`;
  return clip(`${plain(fileOf(first, { of }))} cannot be understood: ${count}`, maxTitle);
}

/** Named by its branch where a reader would take it for the commit's own. */
function fileOf({ path }: ConfigIssue, { of }: Pick<BrokenConfig, 'of'>): string {
  return of.kind === 'commit' ? path : `${path} on ${of.branch} (${of.sha.slice(0, 7)})`;
}

function summary(broken: BrokenConfig): string {
  const lines = broken.issues.map(({ line, message }) => `- line ${line}: ${inline(clip(message, 1_000))}`);
  const opening = `Nothing is deployed from this commit; what runs keeps running. ${todo(broken)}`;
  return clipLines([opening, lines.join('\n')].filter((part) => part !== '').join('\n\n'), maxOutputBytes);
}

function todo({ code, of, issues }: BrokenConfig): string {
  const [first] = issues;
  if (first === undefined) return reasons[code].todo;
  if (of.kind === 'rules') {
    const where = inline(fileOf(first, { of }));
    return `What is wrong is not in this commit: environments and their rules come from ${where}. Fix it there, and run this check again.`;
  }
  const more = issues.length > maxAnnotations ? ` The first ${maxAnnotations} are annotated.` : '';
  return `Fix ${inline(first.path)} and push again.${more}`;
}

/** Annotations point into the commit that the check run is about: there are none for a file of another. */
function annotations({ of, issues }: BrokenConfig) {
  if (of.kind === 'rules') return [];
  return issues.slice(0, maxAnnotations).map(({ path, line, endLine, message }) => ({
    path,
    start_line: line,
    end_line: endLine,
    annotation_level: 'failure' as const,
    message: clip(plain(message), 4_000),
  }));
}
