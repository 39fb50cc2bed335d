/** Sends one write of the outbox to GitHub, by its kind, and keeps the number that GitHub gives it. */
import type { Static } from 'typebox';
import Value from 'typebox/value';
import { writePayloads, type WriteKind } from '../../core/report/writes.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { sendCheckRunCreate, sendCheckRunUpdate } from '../../platform/github/check-runs.ts';
import type { GithubClient } from '../../platform/github/client.ts';
import { sendDeploymentCreate, sendDeploymentStatusCreate } from '../../platform/github/deployments.ts';
import type { Db } from '../../prisma/client.ts';
import {
  checkRunNumber,
  githubDeploymentNumber,
  rememberCheckRun,
  rememberGithubDeployment,
} from '../../prisma/store/mirrors.ts';
import type { PendingWrite } from '../../prisma/store/outbox.ts';

function created(number: number | null, what: string): number {
  if (number !== null) return number;
  throw new StalledError('github_create_failed', `GitHub never took the ${what} that this write is about.`);
}

function isKnown(kind: string): kind is WriteKind {
  return Object.hasOwn(writePayloads, kind);
}

/** A row that cannot be read never can: it must not hold up those behind it (P04). */
function payloadOf<K extends WriteKind>(kind: K, { id, payload }: PendingWrite): Static<(typeof writePayloads)[K]> {
  if (Value.Check(writePayloads[kind], payload)) return payload;
  throw new StalledError('write_unreadable', `The write ${id} holds what is no ${kind}.`);
}

/** Gives GitHub's id. `write.attempts` counts the attempts before this one. */
export async function sendWrite(db: Db, client: GithubClient, write: PendingWrite): Promise<number> {
  const attempt = write.attempts + 1;
  const { kind } = write;
  if (!isKnown(kind))
    throw new StalledError('write_unreadable', `The write ${write.id} is of the unknown kind ${kind}.`);
  switch (kind) {
    case 'createCheckRun': {
      const payload = payloadOf(kind, write);
      const githubId = await sendCheckRunCreate(client, payload, attempt);
      await rememberCheckRun(db, payload.body.external_id, githubId);
      return githubId;
    }
    case 'updateCheckRun': {
      const payload = payloadOf(kind, write);
      const checkRunId = created(await checkRunNumber(db, payload.externalId), 'check run');
      await sendCheckRunUpdate(client, payload, { checkRunId, attempt });
      return checkRunId;
    }
    case 'createDeployment': {
      const payload = payloadOf(kind, write);
      const githubId = await sendDeploymentCreate(client, payload, attempt);
      await rememberGithubDeployment(db, payload.intentId, githubId);
      return githubId;
    }
    case 'createDeploymentStatus': {
      const payload = payloadOf(kind, write);
      const deploymentId = created(await githubDeploymentNumber(db, payload.intentId), 'deployment');
      return sendDeploymentStatusCreate(client, payload, { deploymentId, attempt });
    }
  }
}
