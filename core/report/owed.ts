/** Decides which writes to GitHub an intent owes now, at most six in its whole life. */
import { checkOutput, openingOutput } from './output.ts';
import { clip, maxDescription, plain } from './text.ts';
import { hasBegun, progressOf, servingUrl, stuckBuild, verdictOf, type Verdict } from './verdict.ts';
import type { IntentReport } from './view.ts';
import type { Write } from './writes.ts';

/** What a deploy may cost GitHub. */
export const maxWritesPerDeploy = 6;

type StatusWrite = Extract<Write, { kind: 'createDeploymentStatus' }>;
type CheckUpdate = Extract<Write, { kind: 'updateCheckRun' }>;
type State = StatusWrite['payload']['body']['state'];

/** New writes, in the order they are to be sent; those in `intent.owed` are not repeated. */
export function owedWrites(intent: IntentReport, now: Date): Write[] {
  const owed = new Set(intent.owed.map(({ key }) => key));
  // The end has been told: GitHub's states only go forward.
  if (owed.has(`intent:${intent.id}:check:final`)) return [];
  const isNew = ({ key }: Write) => !owed.has(key);
  const opening = [createCheckRun(intent), createDeployment(intent)].filter(isNew);
  const verdict = verdictOf(intent);
  const used = owed.size + opening.length;
  if (verdict) return [...opening, ...closing(intent, { verdict, used, now }).filter(isNew)];
  return intent.status === 'active' ? [...opening, ...progress(intent, { used, now }).filter(isNew)] : opening;
}

/**
 * A build that takes this long is worth the one live update, with the last lines of its log, and so is one that no node can make
 * for as long; else the rollout is.
 */
const longBuildMs = 20_000;

function isWorthTelling(intent: IntentReport, now: Date): boolean {
  if (intent.rollouts.length > 0) return true;
  const since = intent.builds.flatMap(({ status, startedAt }) =>
    status === 'building' && startedAt ? [startedAt] : [],
  );
  if (stuckBuild(intent) !== null) since.push(intent.requestedAt);
  return since.some((at) => now.getTime() - at.getTime() >= longBuildMs);
}

/** One status when work has begun, and one update of the check run if that leaves enough for the end. */
function progress(intent: IntentReport, { used, now }: { used: number; now: Date }): Write[] {
  const left = maxWritesPerDeploy - used - 2 - intent.previous.length;
  const status = hasBegun(intent) ? [deploymentStatus(intent, 'in_progress', progressOf(intent))] : [];
  const isOwed = (key: string): boolean => intent.owed.some((owed) => owed.key === key);
  const cost = status.filter(({ key }) => !isOwed(key)).length;
  // Of a deploy that had to tell what it waits for, the begin may have to go untold.
  const told = cost > left && isOwed(liveKey(intent)) ? [] : status;
  return cost + 1 <= left && isWorthTelling(intent, now) ? [...told, updateCheckRun(intent, null, now)] : told;
}

function liveKey({ id }: IntentReport): string {
  return `intent:${id}:check:live`;
}

function closing(intent: IntentReport, { verdict, used, now }: { verdict: Verdict; used: number; now: Date }): Write[] {
  const description = verdict.state === 'success' ? verdict.title : verdict.reason || verdict.title;
  const status = deploymentStatus(intent, verdict.state, description);
  const check = updateCheckRun(intent, verdict, now);
  const affordable = Math.max(0, maxWritesPerDeploy - used - 2);
  const superseded = verdict.state === 'success' ? intent.previous : [];
  // Of too many the latest first; the others are still `success` and fall to the next deploy.
  const inactive = superseded
    .toSorted((a, b) => Number(b.finishedAt) - Number(a.finishedAt) || (a.intentId < b.intentId ? -1 : 1))
    .slice(0, affordable)
    .map((previous) => inactiveStatus(intent, previous));
  return [status, ...inactive, check];
}

/**
 * The end of a check run that has been told, once more: some servers of GitHub take it back when a person asks for the run again,
 * and what is asked for has a check run of its own. Null when there is no end. `because`: the delivery that asked.
 */
export function endToldAgain(intent: IntentReport, because: string, now: Date): Write | null {
  const wasTold = intent.owed.some(({ key }) => key === `intent:${intent.id}:check:final`);
  return wasTold ? endToldAs(intent, `again:${because}`, now) : null;
}

function endToldAs(intent: IntentReport, as: string, now: Date): Write | null {
  const verdict = verdictOf(intent);
  if (verdict === null) return null;
  const write = updateCheckRun(intent, verdict, now);
  // GitHub would add annotations to those that it has.
  const { annotations: _annotations, ...output } = write.payload.body.output;
  const payload = { ...write.payload, body: { ...write.payload.body, output } };
  return { ...write, key: `intent:${intent.id}:check:${as}`, payload };
}

/**
 * A rollout that no push asked for may have moved what serves: the deployment that is current, and its check run, name the address where
 * it is found now. The deploy has had its writes; these are the rollout's. `told`: the address that was named last.
 */
export function movedWrites(
  intent: IntentReport,
  { told, rolloutId }: { told: string | null; rolloutId: string },
  now: Date,
): Write[] {
  const url = intent.environmentUrl;
  if (url === null || url === told) return [];
  const verdict = verdictOf(intent);
  const status = deploymentStatus(intent, 'success', verdict?.title ?? `Deployed to ${intent.environment}`);
  const payload = { ...status.payload, body: { ...status.payload.body, environment_url: url } };
  const moved = { ...status, key: `intent:${intent.id}:status:moved:${rolloutId}`, payload };
  const check = endToldAs(intent, `moved:${rolloutId}`, now);
  return check === null ? [moved] : [moved, check];
}

function createCheckRun(intent: IntentReport): Write {
  return {
    key: `intent:${intent.id}:check:create`,
    kind: 'createCheckRun',
    coalesceKey: null,
    payload: {
      repositoryId: intent.repositoryId,
      intentId: intent.id,
      body: {
        name: `Landfall: ${intent.environment}`,
        head_sha: intent.sha,
        external_id: externalId(intent),
        details_url: intent.consoleUrl,
        status: 'in_progress',
        started_at: intent.requestedAt.toISOString(),
        output: openingOutput(intent),
      },
    },
  };
}

function updateCheckRun(intent: IntentReport, verdict: Verdict | null, now: Date): CheckUpdate {
  const output = checkOutput(intent, verdict, now);
  const end = intent.finishedAt ?? now;
  return {
    key: verdict ? `intent:${intent.id}:check:final` : liveKey(intent),
    kind: 'updateCheckRun',
    coalesceKey: `intent:${intent.id}:check`,
    payload: {
      repositoryId: intent.repositoryId,
      intentId: intent.id,
      externalId: externalId(intent),
      body: verdict
        ? { status: 'completed', conclusion: verdict.conclusion, completed_at: end.toISOString(), output }
        : { status: 'in_progress', output },
    },
  };
}

/** P36: the commit itself, never merged into a branch, and no checks of GitHub asked: the gates are ours. */
function createDeployment(intent: IntentReport): Write {
  return {
    key: `intent:${intent.id}:deployment:create`,
    kind: 'createDeployment',
    coalesceKey: null,
    payload: {
      repositoryId: intent.repositoryId,
      intentId: intent.id,
      body: {
        ref: intent.sha,
        task: 'deploy',
        auto_merge: false,
        required_contexts: [],
        environment: intent.environment,
        description: 'Deployed by Landfall',
        transient_environment: intent.transient,
        production_environment: intent.environment === 'production',
        payload: { landfall_intent: intent.id },
      },
    },
  };
}

function deploymentStatus(intent: IntentReport, state: State, description: string): StatusWrite {
  const url = state === 'success' ? servingUrl(intent) : null;
  const shown = url === null ? {} : { environment_url: url };
  return {
    key: `intent:${intent.id}:status:${state === 'in_progress' ? state : 'final'}`,
    kind: 'createDeploymentStatus',
    coalesceKey: `intent:${intent.id}:status`,
    payload: {
      repositoryId: intent.repositoryId,
      intentId: intent.id,
      body: {
        state,
        description: clip(plain(description).replace(/\s+/g, ' '), maxDescription),
        environment: intent.environment,
        log_url: intent.consoleUrl,
        ...shown,
        auto_inactive: false,
      },
    },
  };
}

/** P37: GitHub's own `auto_inactive` leaves production and transient environments out, so we say it. */
function inactiveStatus(intent: IntentReport, { intentId, consoleUrl }: IntentReport['previous'][number]): StatusWrite {
  const status = deploymentStatus(intent, 'inactive', `Superseded by ${intent.sha.slice(0, 7)}`);
  const body = { ...status.payload.body, log_url: consoleUrl ?? intent.consoleUrl };
  return {
    ...status,
    key: `intent:${intentId}:status:inactive`,
    coalesceKey: `intent:${intentId}:status`,
    payload: { ...status.payload, intentId, body },
  };
}

function externalId({ id }: IntentReport): string {
  return `intent:${id}`;
}
