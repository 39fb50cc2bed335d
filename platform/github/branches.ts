/** Branches and repositories as GitHub has them now. */
import Type from 'typebox';
import { parseAnswer, requestOrNull, type GithubClient } from './client.ts';

const Reference = Type.Object({ object: Type.Object({ sha: Type.String() }) });

/** The head of a full ref (`refs/heads/main`) at GitHub now; null when the ref does not exist. */
export async function fetchHead(client: GithubClient, repositoryId: number, ref: string): Promise<string | null> {
  const response = await requestOrNull(client, 'GET /repositories/{repository_id}/git/ref/{+ref}', {
    repository_id: repositoryId,
    ref: ref
      .replace(/^refs\//, '')
      .split('/')
      .map(encodeURIComponent)
      .join('/'),
  });
  return response === null ? null : parseAnswer(Reference, response).object.sha;
}

const RepositoryAnswer = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  private: Type.Boolean(),
  default_branch: Type.String(),
  owner: Type.Object({ login: Type.String() }),
});

export interface RepositoryFacts {
  id: number;
  owner: string;
  name: string;
  private: boolean;
  defaultBranch: string;
}

/** The repository under its number, whatever it is called now; null when the installation cannot see it. */
export async function fetchRepository(client: GithubClient, repositoryId: number): Promise<RepositoryFacts | null> {
  const response = await requestOrNull(client, 'GET /repositories/{repository_id}', { repository_id: repositoryId });
  if (response === null) return null;
  const answer = parseAnswer(RepositoryAnswer, response);
  return {
    id: answer.id,
    owner: answer.owner.login,
    name: answer.name,
    private: answer.private,
    defaultBranch: answer.default_branch,
  };
}
