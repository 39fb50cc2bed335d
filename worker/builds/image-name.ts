/** The name of a build's image in the registry. */

export interface Imaged {
  /** GitHub's number. */
  repositoryId: number;
  owner: string;
  name: string;
  service: string;
}

/** `prefix/owner/repository/service`, in the letters that image names allow; a name without any of them becomes a number. */
export function imageName(prefix: string, { repositoryId, owner, name, service }: Imaged): string {
  const parts = [component(owner) || 'owner', component(name) || `repository-${repositoryId}`, component(service)];
  return `${prefix}/${parts.join('/')}`;
}

function component(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}
