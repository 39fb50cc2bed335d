/** Small pieces that every page is made of. */
import type { BuildStatus } from '../../../core/contract/resources/builds.ts';
import type { IntentStatus } from '../../../core/contract/resources/intents.ts';
import type { NodeResource } from '../../../core/contract/resources/nodes.ts';
import type { RolloutStage } from '../../../core/contract/resources/rollouts.ts';
import { html, type Html } from '../html.ts';

type Tone = 'good' | 'bad' | 'busy' | 'calm' | 'warn';

const tones: Record<BuildStatus | IntentStatus | RolloutStage | NodeResource['state'], Tone> = {
  queued: 'calm',
  offered: 'busy',
  building: 'busy',
  succeeded: 'good',
  failed: 'bad',
  cancelled: 'calm',
  superseded: 'calm',
  active: 'busy',
  pending: 'busy',
  pulling: 'busy',
  starting: 'busy',
  healthy: 'busy',
  dns_updating: 'busy',
  traefik_updating: 'busy',
  stopping_old: 'busy',
  running: 'good',
  unknown: 'warn',
  stopped: 'calm',
  rolled_back: 'warn',
  ready: 'good',
  cordoned: 'calm',
  silent: 'bad',
};

export function toneOf(state: keyof typeof tones): Tone {
  return tones[state];
}

export function badge(state: keyof typeof tones): Html {
  return html`<span class="badge ${tones[state]}">${words(state)}</span>`;
}

/** `stopping_old` → `stopping old` */
export function words(name: string): string {
  return name.replaceAll('_', ' ');
}

/** Shown as the reader's local time by the page's script; in UTC without it. */
export function time(at: string): Html {
  return html`<time datetime="${at}">${at.slice(0, 19).replace('T', ' ')} UTC</time>`;
}

/** Counts up while the page is open. */
export function since(at: string): Html {
  return html`<time class="since" datetime="${at}" data-since="${at}"></time>`;
}

export function sha(commit: string): Html {
  return html`<code title="${commit}">${commit.slice(0, 7)}</code>`;
}

/** `refs/heads/main` → `main` */
export function refName(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, '');
}

/** `840 ms`, `12.4 s`, `3 min 5 s`, `2 h 10 min` */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function between(from: string, to: string): string {
  return duration(Date.parse(to) - Date.parse(from));
}

const units = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

export function bytes(count: number): string {
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  const value = count / 1024 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power] ?? 'B'}`;
}

/** Only what a browser may be sent to. */
export function externalUrl(url: string | null): Html | null {
  if (url === null || !/^https?:\/\//.test(url)) return null;
  return html`<a class="external" href="${url}" rel="noreferrer">${url.replace(/^https?:\/\//, '')}</a>`;
}
