/** Ends the check run of a broken configuration anew when a person asked for it again: its suite is queued until then. */
import type { BrokenConfig } from './broken-config.ts';
import { brokenConfigWrites } from './broken-config.ts';
import type { Write } from './writes.ts';

export type ConfigAgain = {
  repositoryId: number;
  /** Of the check run. */
  externalId: string;
  /** The delivery that asked. */
  deliveryGuid: string;
  /** What the configuration looks like now; null: it was taken. */
  broken: BrokenConfig | null;
};

export function configAgainWrites(again: ConfigAgain, now: Date): Write[] {
  const { repositoryId, externalId, deliveryGuid, broken } = again;
  const output = broken === null ? taken : brokenOutput(broken, now);
  return [
    {
      key: `${externalId}:check:again:${deliveryGuid}`,
      kind: 'updateCheckRun',
      coalesceKey: `${externalId}:check`,
      payload: {
        repositoryId,
        intentId: null,
        externalId,
        body: {
          status: 'completed',
          conclusion: broken === null ? 'success' : 'failure',
          completed_at: now.toISOString(),
          output,
        },
      },
    },
  ];
}

const taken = {
  title: 'The configuration was taken',
  summary: 'It can be understood now. The check runs of its environments tell how the deploy goes.',
};

/** Without annotations: GitHub would add them to those that it has. */
function brokenOutput(broken: BrokenConfig, now: Date) {
  const [write] = brokenConfigWrites(broken, now);
  if (write?.kind !== 'createCheckRun') throw new Error('A broken configuration is reported by a check run.');
  const { title, summary } = write.payload.body.output;
  return { title, summary };
}
