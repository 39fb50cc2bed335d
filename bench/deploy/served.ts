/** What of a push that landed counts as the time from push to serving. */
import type { Landing } from '../../cli/up/follow.ts';

/** Up to the moment when the new release takes traffic; what comes after ends the old one. */
export const servingStages = [
  'received',
  'queued',
  'building',
  'built',
  'pending',
  'pulling',
  'starting',
  'healthy',
  'dns_updating',
  'traefik_updating',
  'stopping_old',
];

export interface ServedPush {
  /** Milliseconds from the stage before; the first from the end of the push. */
  stages: Record<string, number>;
  totalMs: number;
}

/**
 * The clock starts when `git push` has ended, or with the webhook where GitHub was quicker to send it. Throws when a stage is not
 * known here: its time would be missing in silence.
 */
export function servedPush(landing: Pick<Landing, 'stages'>, pushTookMs: number): ServedPush {
  const names = Object.keys(landing.stages);
  const serving = names.slice(0, names.indexOf('stopping_old') + 1);
  const unknown = serving.filter((name) => !servingStages.includes(name));
  if (serving[0] !== 'received' || unknown.length > 0)
    throw new Error(`The stages of this push are others than expected: ${names.join(', ')}.`);
  const stages = Object.fromEntries(serving.map((name) => [name, landing.stages[name] ?? 0]));
  stages['received'] = Math.max(0, (landing.stages['received'] ?? 0) - pushTookMs);
  return { stages, totalMs: Object.values(stages).reduce((sum, ms) => sum + ms, 0) };
}
