/** Reads a project's configuration at GitHub: rules from the default branch, shape from the commit (P46). */
import type { ConfigIssue, ProjectConfig } from '../../core/spec/config.ts';
import { defaultProjectConfig } from '../../core/spec/defaults.ts';
import { parseProjectConfig } from '../../core/spec/parse.ts';
import { InputError } from '../../platform/errors/errors.ts';
import type { GithubClient } from '../../platform/github/client.ts';
import { fetchFile } from '../../platform/github/contents.ts';

export const configPath = 'landfall.yml';
export const dockerfilePath = 'Dockerfile';

export interface ConfigAt {
  repositoryId: number;
  defaultBranch: string;
  sha: string;
}

export type ReadConfig =
  | { kind: 'read'; config: ProjectConfig }
  | { kind: 'broken'; issues: ConfigIssue[] }
  /** Neither a `landfall.yml` nor a Dockerfile. */
  | { kind: 'missing' };

/** What the file at the commit says; without one, what follows from the Dockerfile. */
export async function readConfig(client: GithubClient, at: ConfigAt): Promise<ReadConfig> {
  const text = await fetchConfigFile(client, { repositoryId: at.repositoryId, path: configPath, ref: at.sha });
  if (text.kind === 'broken') return text;
  if (text.kind === 'file') {
    const parsed = parseProjectConfig(text.content, configPath);
    return parsed.ok ? { kind: 'read', config: parsed.config } : { kind: 'broken', issues: parsed.issues };
  }
  const dockerfile = await fetchFile(client, { repositoryId: at.repositoryId, path: dockerfilePath, ref: at.sha });
  if (dockerfile === null) return { kind: 'missing' };
  return { kind: 'read', config: defaultProjectConfig({ dockerfile, defaultBranch: at.defaultBranch }) };
}

type ConfigFile = { kind: 'file'; content: string } | { kind: 'none' } | { kind: 'broken'; issues: ConfigIssue[] };

async function fetchConfigFile(
  client: GithubClient,
  file: { repositoryId: number; path: string; ref: string },
): Promise<ConfigFile> {
  try {
    const content = await fetchFile(client, file);
    return content === null ? { kind: 'none' } : { kind: 'file', content };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { kind: 'broken', issues: [{ path: file.path, line: 1, endLine: 1, message: error.message }] };
  }
}

/** The Dockerfiles of services whose port is the one that their image exposes, by service. */
export async function readDockerfiles(
  client: GithubClient,
  at: ConfigAt,
  config: ProjectConfig,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, { port, build }] of Object.entries(config.services)) {
    if (port !== 'exposed') continue;
    const text = await fetchFile(client, { repositoryId: at.repositoryId, path: build.dockerfile, ref: at.sha });
    if (text !== null) found[name] = text;
  }
  return found;
}
