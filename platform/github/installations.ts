/** Installations of the app as GitHub has them now, and which repositories they include. */
import Type from 'typebox';
import { IgnoredError } from '../errors/errors.ts';
import { parseAnswer, requestOrNull, type GithubClient } from './client.ts';

const InstallationAnswer = Type.Object({
  id: Type.Integer(),
  account: Type.Object({ id: Type.Integer(), login: Type.String(), type: Type.String() }),
  permissions: Type.Record(Type.String(), Type.String()),
  suspended_at: Type.Optional(Type.Union([Type.String(), Type.Null()])),
});

export interface InstallationFacts {
  id: number;
  account: { id: number; login: string; type: string };
  permissions: Record<string, string>;
  suspendedAt: Date | null;
}

/** Null when GitHub knows none under this number. Only the app itself may ask. */
export async function fetchInstallation(app: GithubClient, id: number): Promise<InstallationFacts | null> {
  const response = await requestOrNull(app, 'GET /app/installations/{installation_id}', { installation_id: id });
  if (response === null) return null;
  const { account, permissions, suspended_at: suspended } = parseAnswer(InstallationAnswer, response);
  const { login, type } = account;
  const suspendedAt = typeof suspended === 'string' ? new Date(suspended) : null;
  return { id, account: { id: account.id, login, type }, permissions, suspendedAt };
}

/**
 * Whether the installation includes the repository: GitHub gives a token for it, or none. To see it is not enough, because everybody
 * sees a public one. Only the app itself may ask.
 */
export async function includesRepository(
  app: GithubClient,
  of: { installationId: number; repositoryId: number },
): Promise<boolean> {
  try {
    await app.request('POST /app/installations/{installation_id}/access_tokens', {
      installation_id: of.installationId,
      repository_ids: [of.repositoryId],
      permissions: { metadata: 'read' },
    });
    return true;
  } catch (error) {
    if (error instanceof IgnoredError) return false;
    throw error;
  }
}
