/** Reads a project's configuration at GitHub: rules from the default branch, shape from the commit (P46). */
import { isUtf8 } from 'node:buffer';
import type { ConfigIssue, ProjectConfig } from '../../core/spec/config.ts';
import { defaultProjectConfig } from '../../core/spec/defaults.ts';
import { parseProjectConfig } from '../../core/spec/parse.ts';
import type { BrokenCode } from '../../core/report/broken-config.ts';
import { InputError } from '../../platform/errors/errors.ts';
import type { GithubClient } from '../../platform/github/client.ts';
import { fetchEntry, type FileAt } from '../../platform/github/contents.ts';

export const configPath = 'landfall.yml';
export const dockerfilePath = 'Dockerfile';

export interface ConfigAt {
  repositoryId: number;
  defaultBranch: string;
  sha: string;
}

export interface BrokenFile {
  kind: 'broken';
  code: BrokenCode;
  issues: ConfigIssue[];
}

export type ReadConfig =
  | { kind: 'read'; config: ProjectConfig }
  | BrokenFile
  /** Neither a `landfall.yml` nor a Dockerfile. */
  | { kind: 'missing' };

/** What the file at the commit says; without one, what follows from the Dockerfile. */
export async function readConfig(client: GithubClient, at: ConfigAt): Promise<ReadConfig> {
  const { repositoryId, sha: ref, defaultBranch } = at;
  const text = await fetchConfigFile(client, { repositoryId, path: configPath, ref });
  if (text.kind === 'broken') return text;
  if (text.kind === 'file') {
    const parsed = parseProjectConfig(text.content, configPath);
    return parsed.ok ? { kind: 'read', config: parsed.config } : broken('config_invalid', parsed.issues);
  }
  const dockerfile = await fetchDockerfile(client, { repositoryId, path: dockerfilePath, ref });
  if (dockerfile.kind === 'none') return { kind: 'missing' };
  if (dockerfile.kind === 'broken') return dockerfile;
  return { kind: 'read', config: defaultProjectConfig({ dockerfile: dockerfile.content, defaultBranch }) };
}

type FoundFile = { kind: 'file'; content: string } | { kind: 'none' } | BrokenFile;

const notAFile = {
  directory: 'is a directory; it has to be a file',
  symlink: 'is a symbolic link that leads to no file of the repository',
  submodule: 'is a submodule; it has to be a file',
} as const;

async function fetchConfigFile(client: GithubClient, file: FileAt): Promise<FoundFile> {
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

function brokenAt(path: string, line: number, message: string): BrokenFile {
  return broken('config_invalid', [{ path, line, endLine: line, message }]);
}

function broken(code: BrokenCode, issues: ConfigIssue[]): BrokenFile {
  return { kind: 'broken', code, issues };
}

/** What is no file is left to the build, which says so. */
async function fetchDockerfile(client: GithubClient, file: FileAt): Promise<FoundFile> {
  try {
    const entry = await fetchEntry(client, file);
    return entry.kind === 'file' ? { kind: 'file', content: entry.bytes.toString('utf8') } : { kind: 'none' };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const message = `${error.message} It is read for the port that it exposes: name the port in ${configPath}, and it is not.`;
    return broken('dockerfile_invalid', [{ path: file.path, line: 1, endLine: 1, message }]);
  }
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

export type ReadDockerfiles = { kind: 'read'; texts: Record<string, string> } | BrokenFile;

/** The Dockerfiles of services whose port is the one that their image exposes, by service. */
export async function readDockerfiles(
  client: GithubClient,
  at: ConfigAt,
  config: ProjectConfig,
): Promise<ReadDockerfiles> {
  const texts: Record<string, string> = {};
  for (const [name, { port, build }] of Object.entries(config.services)) {
    if (port !== 'exposed') continue;
    const file = { repositoryId: at.repositoryId, path: build.dockerfile, ref: at.sha };
    const found = await fetchDockerfile(client, file);
    if (found.kind === 'broken') return found;
    if (found.kind === 'file') texts[name] = found.content;
  }
  return { kind: 'read', texts };
}
