/** Projects, and the configuration that is in force for them. */
import type { ConfigIssue, ProjectConfig } from '../../core/spec/config.ts';
import type { Db } from '../client.ts';

export type RulesFound =
  { ok: true; sha: string; config: ProjectConfig } | { ok: false; sha: string; issues: readonly ConfigIssue[] };

/** The project at the root of the repository, made when it is missing. */
export async function ensureProject(db: Db, repositoryId: number): Promise<string> {
  const project = await db.project.upsert({
    where: { repositoryId_directory: { repositoryId, directory: '' } },
    create: { repositoryId },
    update: {},
    select: { id: true },
  });
  return project.id;
}

/** What the default branch says. A file that cannot be taken leaves the earlier one in force, and says why. */
export async function saveRules(db: Db, projectId: string, found: RulesFound): Promise<void> {
  await db.project.update({
    where: { id: projectId },
    data: found.ok
      ? { configSha: found.sha, config: found.config, configIssues: [] }
      : { configIssues: found.issues.map((issue) => ({ ...issue })) },
  });
}
