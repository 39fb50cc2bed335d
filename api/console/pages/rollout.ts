/** A rollout: how far it is, its timeline with the reasons, and where its allocations are and why. */
import type { AllocationResource } from '../../../core/contract/resources/allocations.ts';
import type { RolloutDetail, RolloutEventResource, RolloutStage } from '../../../core/contract/resources/rollouts.ts';
import { html, type Html } from '../html.ts';
import { renderPage } from './layout.ts';
import { logLine } from './log.ts';
import { badge, between, sha, since, time, toneOf, words } from './parts.ts';

/** The stages that a rollout passes, in order. */
const passed = [
  'pending',
  'pulling',
  'starting',
  'healthy',
  'dns_updating',
  'traefik_updating',
  'stopping_old',
  'running',
] as const satisfies RolloutStage[];

interface Step {
  stage: RolloutStage;
  state: 'done' | 'now' | 'ahead' | 'broken';
  /** How long it was in it. */
  took: string | null;
  since: string | null;
}

/** When it entered each stage, by the timeline; it begins in `pending`. */
function entered(rollout: RolloutDetail): Map<RolloutStage, string> {
  const times = new Map<RolloutStage, string>([['pending', rollout.createdAt]]);
  for (const { toStage, fromStage, at } of rollout.timeline)
    if (toStage !== null && toStage !== fromStage) times.set(toStage, at);
  return times;
}

export function stepsOf(rollout: RolloutDetail): Step[] {
  const times = entered(rollout);
  const known = passed.findLastIndex((stage) => times.has(stage));
  const ordinary = (passed as readonly RolloutStage[]).includes(rollout.stage);
  return passed.map((stage, index) => {
    const from = times.get(stage) ?? null;
    const next = passed.slice(index + 1).flatMap((later) => times.get(later) ?? [])[0] ?? rollout.finishedAt;
    const here = index === known;
    const state = !here ? (from === null ? 'ahead' : 'done') : ordinary ? 'now' : 'broken';
    return {
      stage,
      state: state === 'now' && stage === 'running' ? 'done' : state,
      took: from === null || next === null || stage === 'running' ? null : between(from, next),
      since: here && ordinary && rollout.finishedAt === null ? from : null,
    };
  });
}

function track(rollout: RolloutDetail): Html {
  return html`<ol class="track">
    ${stepsOf(rollout).map(
      (step) =>
        html`<li class="${step.state}">
          <span>${words(step.stage)}</span><small>${step.took}${step.since !== null && since(step.since)}</small>
        </li>`,
    )}
  </ol>`;
}

function timelineEvent({ at, toStage, reasonCode, message }: RolloutEventResource): Html {
  return html`<li>
    ${time(at)} ${toStage === null ? null : html`<b class="${toneOf(toStage)}">${words(toStage)}</b>`}
    <span>${message}</span> <code class="code">${reasonCode}</code>
  </li>`;
}

function allocationState({ observed, health, desired, stoppedAt }: AllocationResource): Html {
  if (stoppedAt !== null || desired === 'stopped')
    return html`<span class="dot calm"></span>${stoppedAt === null ? 'stopping' : 'stopped'}`;
  const tone = health === 'healthy' ? 'good' : health === 'unhealthy' || observed === 'exited' ? 'bad' : 'busy';
  return html`<span class="dot ${tone}"></span>${observed}${health === 'none' ? null : html`, ${health}`}`;
}

function allocationRow(allocation: AllocationResource): Html {
  return html`<tr>
      <td data-label="Replica">${allocation.replica}</td>
      <td data-label="Node">${allocation.nodeName}</td>
      <td data-label="Address"><code>${allocation.ip}</code></td>
      <td data-label="State">${allocationState(allocation)}</td>
      <td data-label="Restarts">${allocation.restarts}</td>
      <td data-label="Why there" class="why">${allocation.placement.join(' ')}</td>
    </tr>
    ${
      allocation.detail !== null &&
      html`<tr class="detail">
        <td colspan="6">
          ${allocation.detail} <code class="code">${allocation.detailCode}</code>
          ${
            allocation.lastLog.length > 0 &&
            html`<pre class="log">${allocation.lastLog.map((text) => logLine({ text, error: false }))}</pre>`
          }
        </td>
      </tr>`
    }`;
}

/** The card of one rollout, on its own page and on that of its intent. */
export function rolloutCard(rollout: RolloutDetail, href: string | null): Html {
  const title = html`Rollout of ${rollout.serviceName}`;
  return html`<section class="card">
    <header>
      <h2>${href === null ? title : html`<a href="${href}">${title}</a>`}</h2>
      ${badge(rollout.stage)}
      <p class="meta">
        release ${rollout.release.number} · ${sha(rollout.release.sha)}
        ${rollout.finishedAt !== null && html` · took ${between(rollout.createdAt, rollout.finishedAt)}`}
      </p>
    </header>
    ${track(rollout)}
    ${rollout.reason !== null && html`<p class="reason ${toneOf(rollout.stage)}">${rollout.reason}</p>`}
    ${
      rollout.timeline.length > 0 &&
      html`<details open>
        <summary>Timeline</summary>
        <ol class="timeline">
          ${rollout.timeline.map(timelineEvent)}
        </ol>
      </details>`
    }
    ${
      rollout.allocations.length > 0 &&
      html`<table>
        <thead>
          <tr>
            <th>Replica</th>
            <th>Node</th>
            <th>Address</th>
            <th>State</th>
            <th>Restarts</th>
            <th>Why there</th>
          </tr>
        </thead>
        <tbody>
          ${rollout.allocations.map(allocationRow)}
        </tbody>
      </table>`
    }
  </section>`;
}

export interface RolloutLinks {
  /** Of its intent's page; null without an intent. */
  intentUrl: string | null;
  signedIn: boolean;
}

export function renderRolloutPage(rollout: RolloutDetail, { intentUrl, signedIn }: RolloutLinks): string {
  return renderPage({
    title: `Rollout of ${rollout.serviceName}`,
    nav: signedIn ? 'none' : null,
    refresh: rollout.finishedAt === null ? 2 : null,
    body: html`<div class="title">
        <h1>${rollout.serviceName} <span class="to">→ ${rollout.environment}</span></h1>
        ${intentUrl !== null && html`<p class="meta"><a href="${intentUrl}">The push that asked for it</a></p>`}
      </div>
      ${rolloutCard(rollout, null)}`,
  });
}
