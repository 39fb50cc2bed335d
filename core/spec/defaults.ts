/** What holds where nothing is written: the defaults of a service, and of a repository with only a Dockerfile. */
import type { ProjectConfig } from './config.ts';

/** For a repository without `landfall.yml`. `dockerfile` is the text of the Dockerfile at its root. */
export function defaultProjectConfig(_facts: { dockerfile: string; defaultBranch: string }): ProjectConfig {
  throw new Error('not written yet');
}
