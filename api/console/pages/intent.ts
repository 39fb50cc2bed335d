/** The page behind `log_url`: what was asked for, its builds with their live logs, and its rollouts. */
import type { BuildResource } from '../../../core/contract/resources/builds.ts';
import type { IntentDetail } from '../../../core/contract/resources/intents.ts';
import { html, type Html } from '../html.ts';
import { renderPage } from './layout.ts';
import { logLines } from './log.ts';
import { badge, between, duration, refName, sha, since, time, toneOf } from './parts.ts';
import { rolloutCard } from './rollout.ts';

export interface IntentLinks {
  /** With the key that opens it, when the reader came by one. */
  rolloutUrl: (rolloutId: string) => string;
  eventsUrl: string;
  signedIn: boolean;
}

/** The parts of the page that change while it is open, by the names that its script finds them under. */
export function intentFragments(intent: IntentDetail, links: IntentLinks): Record<string, string> {
  const builds = intent.builds.map((build) => [`build-${build.id}`, buildHeader(build).text]);
  return {
    summary: summary(intent).text,
    ...(Object.fromEntries(builds) as Record<string, string>),
    rollouts: rollouts(intent, links).text,
  };
}

function summary(intent: IntentDetail): Html {
  return html`<div class="title">
    <h1>${intent.repository} <span class="to">→ ${intent.environment}</span></h1>
    ${badge(intent.status)}
    <p class="meta">
      ${sha(intent.sha)} of <b>${refName(intent.ref)}</b> · ${intent.trigger} by ${intent.actor} ·
      ${time(intent.requestedAt)} ·
      ${
        intent.finishedAt === null
          ? since(intent.requestedAt)
          : html`took ${between(intent.requestedAt, intent.finishedAt)}`
      }
    </p>
    ${intent.reason !== null && html`<p class="reason ${toneOf(intent.status)}">${intent.reason}</p>`}
    ${intent.notTaken !== null && html`<p class="meta">${intent.notTaken}</p>`}
  </div>`;
}

function buildHeader(build: BuildResource): Html {
  return html`<header>
      <h2>Build of ${build.service}</h2>
      ${badge(build.status)}
      <p class="meta">
        ${build.nodeName !== null && html`on ${build.nodeName}`}
        ${build.attempt > 1 && html` · attempt ${build.attempt}`}
        ${build.startedAt !== null && build.finishedAt === null && html` · ${since(build.startedAt)}`}
        ${
          build.startedAt !== null &&
          build.finishedAt !== null &&
          html` · took ${between(build.startedAt, build.finishedAt)}`
        }
      </p>
    </header>
    ${timings(build)} ${build.reason !== null && html`<p class="reason ${toneOf(build.status)}">${build.reason}</p>`}`;
}

function timings({ timings: taken, image }: BuildResource): Html | null {
  if (taken === null) return null;
  return html`<dl class="facts">
    <div>
      <dt>Fetch</dt>
      <dd>${duration(taken.fetch)}</dd>
    </div>
    <div>
      <dt>Build</dt>
      <dd>${duration(taken.build)}</dd>
    </div>
    <div>
      <dt>Push</dt>
      <dd>${duration(taken.push)}</dd>
    </div>
    ${
      image !== null &&
      html`<div class="wide">
        <dt>Image</dt>
        <dd><code>${image}</code></dd>
      </div>`
    }
  </dl>`;
}

/** The last lines of a build's log. */
export interface ShownLog {
  /** Number of the first of them. */
  from: number;
  lines: readonly { offset: number; text: string; error: boolean }[];
}

function buildCard(build: BuildResource, log: ShownLog): Html {
  const lines = html`<pre class="log live" data-log="${build.id}" tabindex="0" aria-label="Log of ${build.service}">
${logLines(log.lines, log.from)}</pre>`;
  return html`<section class="card">
    <div data-fragment="build-${build.id}">${buildHeader(build)}</div>
    ${
      build.status === 'succeeded'
        ? html`<details>
            <summary>Log</summary>
            ${lines}
          </details>`
        : html`<details open>
            <summary>Log</summary>
            ${lines}
          </details>`
    }
  </section>`;
}

function rollouts(intent: IntentDetail, { rolloutUrl }: IntentLinks): Html {
  return html`${intent.rollouts.map((rollout) => rolloutCard(rollout, rolloutUrl(rollout.id)))}`;
}

export interface IntentPage {
  intent: IntentDetail;
  links: IntentLinks;
  logOf: (buildId: string) => ShownLog;
}

export function renderIntentPage({ intent, links, logOf }: IntentPage): string {
  return renderPage({
    title: `${intent.repository} → ${intent.environment}`,
    nav: links.signedIn ? 'none' : null,
    refresh: null,
    body: html`<div data-events="${links.eventsUrl}">
      <div data-fragment="summary">${summary(intent)}</div>
      <p class="offline" hidden>The connection is gone; trying again…</p>
      ${intent.builds.map((build) => buildCard(build, logOf(build.id)))}
      <div data-fragment="rollouts">${rollouts(intent, links)}</div>
    </div>`,
  });
}
