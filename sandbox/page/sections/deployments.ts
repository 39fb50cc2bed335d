/** Deployments with their statuses and links. */
import type { DeploymentStatus } from '../../state/model.ts';
import { html, link, type Html } from '../html.ts';
import type { DeploymentView, RepositoryView } from '../view.ts';
import { deploymentPill, person, sha, time } from '../words.ts';

function links(status: DeploymentStatus | undefined): Html | null {
  if (status === undefined) return null;
  const open = status.environmentUrl === '' ? null : link(status.environmentUrl, 'Open ↗');
  const log = status.logUrl === '' ? null : link(status.logUrl, 'Log ↗');
  return open === null && log === null ? null : html`<p class="links">${open} ${log}</p>`;
}

function history(statuses: readonly DeploymentStatus[], now: number): Html {
  const rows = statuses.map(
    (status) =>
      html`<li id="status-${status.id}">
        ${deploymentPill(status.state)} <span class="what">${status.description}</span> ${time(status.createdAt, now)}
      </li>`,
  );
  return html`<ol class="history">
    ${rows}
  </ol>`;
}

function card({ deployment, creator, statuses }: DeploymentView, now: number): Html {
  const [last] = statuses;
  return html`<article class="card" id="deployment-${deployment.id}">
    <h3>${deploymentPill(last?.state)} ${deployment.environment}</h3>
    <p class="by">${person(creator)} ${sha(deployment.sha)} ${time(deployment.createdAt, now)}</p>
    ${deployment.description === null ? null : html`<p>${deployment.description}</p>`} ${links(last)}
    ${history(statuses, now)}
  </article>`;
}

export function deploymentsSection(view: RepositoryView): Html {
  const empty = html`<p class="empty" id="no-deployments">Nothing was deployed yet.</p>`;
  const cards = view.deployments.map((deployment) => card(deployment, view.now));
  return html`<section id="deployments">
    <h2>Deployments</h2>
    <div id="deployment-list">${cards.length === 0 ? empty : cards}</div>
  </section>`;
}
