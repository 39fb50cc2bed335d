/** Reads a project's configuration at GitHub: rules from the default branch, shape from the commit (P46). */
import { isUtf8 } from 'node:buffer';
import type { ConfigIssue, ProjectConfig } from '../../core/spec/config.ts';
import { defaultProjectConfig } from '../../core/spec/defaults.ts';
import { parseProjectConfig } from '../../core/spec/parse.ts';
import { InputError } from '../../platform/errors/errors.ts';
import type { GithubClient } from '../../platform/github/client.ts';
import { fetchEntry, fetchFile, type FileAt } from '../../platform/github/contents.ts';

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

const notAFile = {
  directory: 'is a directory; it has to be a file',
  symlink: 'is a symbolic link that leads to no file of the repository',
  submodule: 'is a submodule; it has to be a file',
} as const;

async function fetchConfigFile(client: GithubClient, file: FileAt): Promise<ConfigFile> {
  try {
    const entry = await fetchEntry(client, file);
    if (entry.kind === 'nothing') return { kind: 'none' };
    if (entry.kind !== 'file') return brokenAt(file.path, 1, `${file.path} ${notAFile[entry.kind]}.`);
    const line = lineThatIsNoText(entry.bytes);
    if (line !== null) return brokenAt(file.path, line, 'This line is not UTF-8; save the file as UTF-8.');
    return { kind: 'file', content: entry.bytes.toString('utf8') };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return brokenAt(file.path, 1, error.message);
  }
}

function brokenAt(path: string, line: number, message: string): ConfigFile {
  return { kind: 'broken', issues: [{ path, line, endLine: line, message }] };
}

/** The first line that is not UTF-8, counted from 1; null when every one is. */
function lineThatIsNoText(bytes: Buffer): number | null {
  if (isUtf8(bytes)) return null;
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, start);
    const next = end === -1 ? bytes.length : end + 1;
    if (!isUtf8(bytes.subarray(start, next))) return line;
    start = next;
  }
  return 1;
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
