/** Reads what a commit asks for at GitHub, and lets core decide which environments it comes to, as which services. */
import { decidePush, type PushFacts } from '../../core/intent/push.ts';
import { reasons } from '../../core/intent/reasons.ts';
import type { BrokenConfig } from '../../core/report/broken-config.ts';
import type { ConfigIssue, ProjectConfig } from '../../core/spec/config.ts';
import { defaultProjectConfig } from '../../core/spec/defaults.ts';
import { resolveServices, type ResolvedService } from '../../core/spec/resolve.ts';
import type { GithubClient } from '../../platform/github/client.ts';
import type { RulesFound } from '../../prisma/store/projects.ts';
import { configPath, readConfig, readDockerfiles, type ConfigAt, type ReadConfig } from '../config/read-config.ts';

export interface EnvironmentTarget {
  name: string;
  url: string | null;
  services: Record<string, ResolvedService>;
}

export type ResolvedCommit =
  | { kind: 'ignored'; code: string; reason: string }
  /** `of`: whose file it is. `rules`: what was found on the default branch, when the commit is its head. */
  | { kind: 'broken'; of: BrokenConfig['of']; issues: ConfigIssue[]; rules: RulesFound | null }
  | { kind: 'deploy'; targets: EnvironmentTarget[]; rules: RulesFound | null };

export interface CommitToResolve extends ConfigAt {
  facts: PushFacts;
  /** The commit whose rules are in force; null when the default branch does not exist. */
  rulesSha: string | null;
  /** Only these; null: whichever the rules name. */
  environments: readonly string[] | null;
}

export async function resolveCommit(client: GithubClient, commit: CommitToResolve): Promise<ResolvedCommit> {
  const { rulesSha } = commit;
  if (rulesSha === null) return ignored('branch_not_deployed', 'The default branch does not exist.');
  const rules = await readConfig(client, { ...commit, sha: rulesSha });
  const isRules = rulesSha === commit.sha;
  if (rules.kind === 'broken')
    return isRules ? broken(rules.issues, rulesSha) : brokenRules(rules.issues, commit, rulesSha);

  const ruled = rules.kind === 'read' ? rules.config : defaultProjectConfig({ dockerfile: '', ...commit });
  const decision = decidePush(commit.facts, ruled);
  if (decision.kind === 'ignored') return decision;
  const { environments } = commit;
  const wanted = decision.intents.filter(({ environment }) => environments?.includes(environment) ?? true);
  if (wanted.length === 0)
    return ignored('branch_not_deployed', 'The environment does not deploy this branch any more.');

  const shape = isRules ? rules : await readConfig(client, commit);
  if (shape.kind !== 'read') return broken(issuesOf(shape), null);
  const dockerfiles = await readDockerfiles(client, commit, shape.config);
  const resolve = (environment: string) =>
    resolveServices({ shape: shape.config, rules: ruled, environment, dockerfiles });
  return {
    kind: 'deploy',
    targets: wanted.map(({ environment, url }) => ({ name: environment, url, services: resolve(environment) })),
    rules: isRules ? { ok: true, sha: rulesSha, config: ruled } : null,
  };
}

function issuesOf(shape: Exclude<ReadConfig, { kind: 'read'; config: ProjectConfig }>): ConfigIssue[] {
  if (shape.kind === 'broken') return shape.issues;
  const { means, todo } = reasons.nothing_to_deploy;
  return [{ path: configPath, line: 1, endLine: 1, message: `${means} ${todo}` }];
}

function broken(issues: ConfigIssue[], rulesSha: string | null): ResolvedCommit {
  const rules = rulesSha === null ? null : ({ ok: false, sha: rulesSha, issues } as const);
  return { kind: 'broken', of: { kind: 'commit' }, issues, rules };
}

function brokenRules(issues: ConfigIssue[], { defaultBranch }: CommitToResolve, sha: string): ResolvedCommit {
  return { kind: 'broken', of: { kind: 'rules', branch: defaultBranch, sha }, issues, rules: null };
}

function ignored(code: string, reason: string): ResolvedCommit {
  return { kind: 'ignored', code, reason };
}
