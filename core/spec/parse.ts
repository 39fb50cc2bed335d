/** Understands the text of `landfall.yml`, or says everything that is wrong with it, line by line. */
import type { ConfigIssue, ProjectConfig } from './config.ts';

export type ParsedConfig = { ok: true; config: ProjectConfig } | { ok: false; issues: ConfigIssue[] };

/** `path` is the file's name in the repository: it stands in the issues. Never throws on bad text. */
export function parseProjectConfig(_text: string, _path: string): ParsedConfig {
  throw new Error('not written yet');
}
