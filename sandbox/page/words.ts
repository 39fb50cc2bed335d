/** Small parts that every section shows: times, people, SHAs and states. */
import type { CheckRun, DeploymentState, User } from '../state/model.ts';
import { html, type Html } from './html.ts';

const units: readonly [string, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

export function ago(at: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  for (const [unit, size] of units) {
    const count = Math.floor(seconds / size);
    if (count > 0) return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
  }
  return 'just now';
}

export function time(at: number, now: number): Html {
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}" title="${iso}">${ago(at, now)}</time>`;
}

export function sha(value: string): Html {
  return html`<code class="sha" title="${value}">${value.slice(0, 7)}</code>`;
}

export function person(user: User): Html {
  const badge = user.type === 'Bot' ? html`<span class="badge">bot</span>` : null;
  return html`<span class="person"
    ><img class="avatar" src="/_avatars/${user.id}" alt="" width="20" height="20" /><b>${user.login}</b>${badge}</span
  >`;
}

export type Tone = 'good' | 'bad' | 'busy' | 'idle' | 'merged';

export function pill(tone: Tone, label: string): Html {
  return html`<span class="pill ${tone}">${label}</span>`;
}

const deploymentTones: Readonly<Record<DeploymentState, Tone>> = {
  success: 'good',
  failure: 'bad',
  error: 'bad',
  queued: 'busy',
  pending: 'busy',
  in_progress: 'busy',
  inactive: 'idle',
};

export function deploymentPill(state: DeploymentState | undefined): Html {
  return state === undefined ? pill('idle', 'created') : pill(deploymentTones[state], state.replace('_', ' '));
}

export function checkTone({ status, conclusion }: Pick<CheckRun, 'status' | 'conclusion'>): Tone {
  if (status !== 'completed') return 'busy';
  if (conclusion === 'success') return 'good';
  return conclusion === 'neutral' || conclusion === 'skipped' || conclusion === 'cancelled' ? 'idle' : 'bad';
}

export function checkPill(run: Pick<CheckRun, 'status' | 'conclusion'>): Html {
  return pill(checkTone(run), (run.conclusion ?? run.status).replace('_', ' '));
}
