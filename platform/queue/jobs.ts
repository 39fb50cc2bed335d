/** Every job there is. Payloads are ids: a handler reads again what it works on. Ids carry a version: a later one is new work. */
import Type from 'typebox';
import { defineJob } from './define-job.ts';

const strict = { additionalProperties: false };
const Id = Type.String({ minLength: 1, maxLength: 100 });
const Version = Type.Integer({ minimum: 0 });

/** Works on one webhook of the inbox. */
export const processDelivery = defineJob({
  name: 'processDelivery',
  queue: 'deliveries',
  payload: Type.Object({ guid: Id }, strict),
  jobId: ({ guid }) => guid,
});

/** Works on webhooks of the inbox that arrived together: one wake-up for all of them. */
export const processDeliveries = defineJob({
  name: 'processDeliveries',
  queue: 'deliveries',
  payload: Type.Object({ guids: Type.Array(Id, { minItems: 1, maxItems: 500 }) }, strict),
  jobId: ({ guids }) => guids[0] ?? '',
});

/** Offers, supersedes, times out or finishes a build; `version` is the build's. */
export const advanceBuild = defineJob({
  name: 'advanceBuild',
  queue: 'rollouts',
  payload: Type.Object({ buildId: Id, version: Version }, strict),
  jobId: ({ buildId, version }) => `${buildId}.${version}`,
});

/** Moves a rollout as far as the facts allow; `version` is the rollout's `factsVersion`. */
export const advanceRollout = defineJob({
  name: 'advanceRollout',
  queue: 'rollouts',
  payload: Type.Object({ rolloutId: Id, version: Version }, strict),
  jobId: ({ rolloutId, version }) => `${rolloutId}.${version}`,
});

/** Sends an installation's pending writes to GitHub; `upTo` is the newest row at the time. */
export const flushOutbox = defineJob({
  name: 'flushOutbox',
  queue: 'github',
  payload: Type.Object({ installationId: Type.Integer(), upTo: Type.String({ pattern: '^[0-9]+$' }) }, strict),
  jobId: ({ installationId, upTo }) => `${installationId}.${upTo}`,
});

/** Mints the token with which a claimed build reads its repository. */
export const mintSourceToken = defineJob({
  name: 'mintSourceToken',
  queue: 'github',
  payload: Type.Object({ workItemId: Id, attempt: Version }, strict),
  jobId: ({ workItemId, attempt }) => `${workItemId}.${attempt}`,
});

/** Derives every job from the rows. */
export const sweep = defineJob({
  name: 'sweep',
  queue: 'maintenance',
  payload: Type.Object({}, strict),
  jobId: () => 'all',
});

/** Deletes a batch of the history that nobody needs any more. */
export const deleteHistory = defineJob({
  name: 'deleteHistory',
  queue: 'maintenance',
  payload: Type.Object({}, strict),
  jobId: () => 'all',
});

/** Asks GitHub for deliveries that never arrived. */
export const fetchMissedDeliveries = defineJob({
  name: 'fetchMissedDeliveries',
  queue: 'deliveries',
  payload: Type.Object({}, strict),
  jobId: () => 'all',
});
