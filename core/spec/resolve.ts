/** Resolves what one environment runs at one commit: shape from the commit, rules from the default branch (P46). */
import type { ProjectConfig } from './config.ts';
import type { BuildSpec, ServiceSpec } from './service.ts';

export type ResolveFacts = {
  /** The configuration of the commit. */
  shape: ProjectConfig;
  /** The configuration of the default branch. */
  rules: ProjectConfig;
  environment: string;
  /** Service → text of its Dockerfile at the commit: asked for services whose port is `exposed`. */
  dockerfiles?: Record<string, string>;
};

export type ResolvedService = { service: ServiceSpec; build: BuildSpec };

/** Service → what runs and how it is built. Empty when the rules do not know the environment. */
export function resolveServices(_facts: ResolveFacts): Record<string, ResolvedService> {
  throw new Error('not written yet');
}
