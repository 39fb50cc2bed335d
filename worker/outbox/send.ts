/** Sends one write of the outbox to GitHub, by its kind, and keeps the number that GitHub gives it. */
import { writePayloads } from '../../core/report/writes.ts';
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
import Value from 'typebox/value';

function created(number: number | null, what: string): number {
  if (number !== null) return number;
  throw new StalledError('github_create_failed', `GitHub never took the ${what} that this write is about.`);
}

/** Gives GitHub's id. `write.attempts` counts the attempts before this one. */
export async function sendWrite(db: Db, client: GithubClient, write: PendingWrite): Promise<number> {
  const attempt = write.attempts + 1;
  switch (write.kind) {
    case 'createCheckRun': {
      const payload = Value.Parse(writePayloads.createCheckRun, write.payload);
      const githubId = await sendCheckRunCreate(client, payload, attempt);
      await rememberCheckRun(db, payload.body.external_id, githubId);
      return githubId;
    }
    case 'updateCheckRun': {
      const payload = Value.Parse(writePayloads.updateCheckRun, write.payload);
      const githubId = created(await checkRunNumber(db, payload.externalId), 'check run');
      await sendCheckRunUpdate(client, payload, githubId);
      return githubId;
    }
    case 'createDeployment': {
      const payload = Value.Parse(writePayloads.createDeployment, write.payload);
      const githubId = await sendDeploymentCreate(client, payload, attempt);
      await rememberGithubDeployment(db, payload.intentId, githubId);
      return githubId;
    }
    case 'createDeploymentStatus': {
      const payload = Value.Parse(writePayloads.createDeploymentStatus, write.payload);
      const deploymentId = created(await githubDeploymentNumber(db, payload.intentId), 'deployment');
      return sendDeploymentStatusCreate(client, payload, { deploymentId, attempt });
    }
  }
}
