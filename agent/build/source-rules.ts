/**
 * What a build may take from the registry that its image goes to. The daemon has credentials for all of that registry, and asks
 * for them by host alone; so it is told apart from them whose images a build may name.
 */
import type { SourceRule } from './buildkit/solve-request.ts';

const above = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/**
 * Of the images below Landfall's path in the registry, the repository's own, and no others; images elsewhere are none of ours.
 * @param imageName `host/path/repository/service`; the path may be missing.
 */
export function ownImagesOnly(imageName: string): SourceRule[] {
  const repository = above(imageName);
  const all = above(repository);
  return [
    { action: 'deny', identifier: `*://${all}/*` },
    { action: 'allow', identifier: `docker-image://${repository}/*` },
  ];
}
