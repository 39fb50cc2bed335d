/** The name of a build's image in the registry. */

export interface Imaged {
  /** GitHub's number: names are freed and given to others, and two of them can look alike in an image's name (P47). */
  repositoryId: number;
  /** Lower-case letters, digits and hyphens, which image names allow too. */
  service: string;
}

/** `prefix/number/service`: what lies below `prefix/number` is this repository's, and nobody else's. */
export function imageName(prefix: string, { repositoryId, service }: Imaged): string {
  return `${prefix}/${repositoryId}/${service}`;
}
