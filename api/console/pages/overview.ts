/** The first page: projects with what serves in each environment, what happened last, and the nodes. */
import type { LeftOutReplica } from '../../../core/contract/left-out.ts';
import type { EnvironmentResource } from '../../../core/contract/resources/environments.ts';
import type { IntentResource } from '../../../core/contract/resources/intents.ts';
import type { NodeResource } from '../../../core/contract/resources/nodes.ts';
import type { ProjectResource } from '../../../core/contract/resources/projects.ts';
import type { ServiceResource } from '../../../core/contract/resources/services.ts';
import { html, type Html } from '../html.ts';
import { renderPage } from './layout.ts';
import { nodeCard, noNodes } from './nodes.ts';
import { badge, externalUrl, refName, sha, time } from './parts.ts';

export interface Overview {
  projects: readonly ProjectResource[];
  intents: readonly IntentResource[];
  nodes: readonly NodeResource[];
}

function replicas({ replicas: { wanted, healthy } }: ServiceResource): Html {
  const tone = wanted > 0 && healthy === wanted ? 'good' : healthy > 0 ? 'warn' : wanted > 0 ? 'bad' : 'calm';
  return html`<span class="dot ${tone}"></span>${healthy}/${wanted} healthy`;
}

function serviceRow(service: ServiceResource): Html {
  const { serving, rollout } = service;
  return html`<tr>
      <td data-label="Service"><b>${service.name}</b></td>
      <td data-label="Serving">
        ${serving === null ? 'nothing yet' : html`release ${serving.number} · ${sha(serving.sha)}`}
      </td>
      <td data-label="Replicas">${replicas(service)}</td>
      <td data-label="Last rollout">
        ${rollout === null ? '–' : html`<a class="plain" href="/rollouts/${rollout.id}">${badge(rollout.stage)}</a>`}
      </td>
    </tr>
    ${service.leftOut.map(leftOutRow)}`;
}

function leftOutRow({ replica, nodeName, message, todo }: LeftOutReplica): Html {
  return html`<tr class="detail">
    <td colspan="4">Replica ${replica}: ${nodeName} is not told of it. Why: ${message} ${todo}</td>
  </tr>`;
}

function environmentPart(environment: EnvironmentResource): Html {
  return html`<div class="environment">
    <h3>${environment.name} ${externalUrl(environment.url)}</h3>
    <table>
      <thead>
        <tr>
          <th>Service</th>
          <th>Serving</th>
          <th>Replicas</th>
          <th>Last rollout</th>
        </tr>
      </thead>
      <tbody>
        ${environment.services.map(serviceRow)}
      </tbody>
    </table>
  </div>`;
}

function projectCard(project: ProjectResource): Html {
  return html`<section class="card">
    <header>
      <h2>${project.repository}${project.directory !== '' && html` <span class="to">/ ${project.directory}</span>`}</h2>
    </header>
    ${project.environments.map(environmentPart)}
  </section>`;
}

function intentItem(intent: IntentResource): Html {
  return html`<li>
    <a href="/intents/${intent.id}">
      ${badge(intent.status)}
      <span
        ><b>${intent.repository}</b> → ${intent.environment}
        <small>${sha(intent.sha)} of ${refName(intent.ref)} by ${intent.actor}</small></span
      >
      ${time(intent.requestedAt)}
    </a>
  </li>`;
}

export function renderOverview({ projects, intents, nodes }: Overview): string {
  return renderPage({
    title: 'Overview',
    nav: 'overview',
    refresh: 5,
    body: html`<div class="title"><h1>Projects</h1></div>
      ${
        projects.length === 0
          ? html`<p class="empty">No project yet. Push to a repository where the GitHub App is installed.</p>`
          : projects.map(projectCard)
      }
      ${
        intents.length > 0 &&
        html`<div class="title"><h1>Lately</h1></div>
          <section class="card">
            <ol class="intents">
              ${intents.map(intentItem)}
            </ol>
          </section>`
      }
      <div class="title"><h1>Nodes</h1></div>
      ${nodes.length === 0 ? noNodes : html`<div class="grid">${nodes.map(nodeCard)}</div>`}`,
  });
}
