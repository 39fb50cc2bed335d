/** Reads what a commit asks for at GitHub, and lets core decide which environments it comes to, as which services. */
import { decidePush, type PushFacts } from '../../core/intent/push.ts';
import type { BrokenConfig } from '../../core/report/broken-config.ts';
import { defaultProjectConfig } from '../../core/spec/defaults.ts';
import { resolveServices, type ResolvedService } from '../../core/spec/resolve.ts';
import type { GithubClient } from '../../platform/github/client.ts';
import type { RulesFound } from '../../prisma/store/projects.ts';
import { readConfig, readDockerfiles, type BrokenFile, type ConfigAt } from '../config/read-config.ts';

export interface EnvironmentTarget {
  name: string;
  url: string | null;
  services: Record<string, ResolvedService>;
}

export type ResolvedCommit =
  /** `rules`, here and below: what was found on the default branch, when the commit is its head. */
  | { kind: 'ignored'; code: string; reason: string; rules: RulesFound | null }
  /** `of`: whose file it is. */
  | (BrokenFile & { of: BrokenConfig['of']; rules: RulesFound | null })
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
  if (rulesSha === null) return ignored('The default branch does not exist.', null);
  const rules = await readConfig(client, { ...commit, sha: rulesSha });
  const isRules = rulesSha === commit.sha;
  // Who may deploy where stands in landfall.yml; without one, the Dockerfile has no say in it.
  if (rules.kind === 'broken' && rules.code === 'config_invalid')
    return isRules
      ? broken(rules, { ok: false, sha: rulesSha, issues: rules.issues })
      : { ...rules, of: { kind: 'rules', branch: commit.defaultBranch, sha: rulesSha }, rules: null };

  const ruled = rules.kind === 'read' ? rules.config : defaultProjectConfig({ dockerfile: '', ...commit });
  const found: RulesFound | null = isRules && rules.kind === 'read' ? { ok: true, sha: rulesSha, config: ruled } : null;
  const decision = decidePush(commit.facts, ruled);
  if (decision.kind === 'ignored') return { ...decision, rules: found };
  const { environments } = commit;
  const wanted = decision.intents.filter(({ environment }) => environments?.includes(environment) ?? true);
  if (wanted.length === 0) return ignored('The environment does not deploy this branch any more.', found);

  const shape = isRules ? rules : await readConfig(client, commit);
  if (shape.kind !== 'read') return broken(shape.kind === 'broken' ? shape : nothing, null);
  const dockerfiles = await readDockerfiles(client, commit, shape.config);
  if (dockerfiles.kind === 'broken') return broken(dockerfiles, found);
  const resolve = (environment: string) =>
    resolveServices({ shape: shape.config, rules: ruled, environment, dockerfiles: dockerfiles.texts });
  return {
    kind: 'deploy',
    targets: wanted.map(({ environment, url }) => ({ name: environment, url, services: resolve(environment) })),
    rules: found,
  };
}

const nothing: BrokenFile = { kind: 'broken', code: 'nothing_to_deploy', issues: [] };

/** The commit's own file is. */
function broken(file: BrokenFile, rules: RulesFound | null): ResolvedCommit {
  return { ...file, of: { kind: 'commit' }, rules };
}

function ignored(reason: string, rules: RulesFound | null): ResolvedCommit {
  return { kind: 'ignored', code: 'branch_not_deployed', reason, rules };
}
