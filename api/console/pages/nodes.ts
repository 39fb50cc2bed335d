/** The nodes: what they are, how full they are, and whether they have converged. */
import type { LeftOutReplica } from '../../../core/contract/left-out.ts';
import type { NodeResource } from '../../../core/contract/resources/nodes.ts';
import { describeFailure, type NodeFailure } from '../../../core/node/failures.ts';
import { html, type Html } from '../html.ts';
import { renderPage } from './layout.ts';
import { badge, bytes, time } from './parts.ts';

function meter(label: string, used: number, total: number): Html {
  const share = total === 0 ? 0 : used / total;
  return html`<div class="meter">
    <span>${label}</span>
    <meter min="0" max="1" low="0.75" high="0.9" optimum="0" value="${share.toFixed(3)}"></meter>
    <small>${bytes(used)} of ${bytes(total)}</small>
  </div>`;
}

function usage({ resources }: NodeResource): Html {
  if (resources === null) return html`<p class="meta">It has not reported yet.</p>`;
  const { memoryBytes, memoryFreeBytes, diskBytes, diskFreeBytes, load1, cpuMillis } = resources;
  return html`${meter('Memory', memoryBytes - memoryFreeBytes, memoryBytes)}
    ${meter('Disk', diskBytes - diskFreeBytes, diskBytes)}
    <p class="meta">load ${load1.toFixed(2)} on ${cpuMillis / 1000} cores · ${resources.architecture}</p>`;
}

export function nodeCard(node: NodeResource): Html {
  return html`<section class="card node">
    <header>
      <h2>${node.name}</h2>
      ${badge(node.state)}
      <p class="meta">
        ${node.kind} · ${node.allocations} ${node.allocations === 1 ? 'allocation' : 'allocations'} ·
        ${node.appliedGeneration >= node.generation ? 'converged' : 'converging'}
      </p>
    </header>
    ${usage(node)} ${node.leftOut.map(leftOutLine)} ${node.failures.map(failureLine)}
  </section>`;
}

function leftOutLine({ serviceName, replica, message, todo }: LeftOutReplica): Html {
  const text = `It is not told of ${serviceName}, replica ${replica}: ${message} ${todo}`;
  return html`<p class="reason bad">${text}</p>`;
}

function failureLine(failure: NodeFailure): Html {
  const { at, retryAt, message } = failure;
  const text = `It cannot ${describeFailure(failure)}: ${message}`;
  return html`<p class="reason warn">${text}</p>
    <p class="meta">Failed ${time(at)}${retryAt !== null && html`; next try ${time(retryAt)}`}</p>`;
}

function details(node: NodeResource): Html {
  return html`<tr>
    <td data-label="Node"><b>${node.name}</b></td>
    <td data-label="Containers"><code>${node.containerCidr}</code></td>
    <td data-label="WireGuard"><code>${node.wireguardAddress}</code></td>
    <td data-label="Public address">${node.publicAddress ?? '–'}</td>
    <td data-label="Can">${node.capabilities.join(', ') || '–'}</td>
    <td data-label="Generation">${node.appliedGeneration} of ${node.generation}</td>
    <td data-label="Last report">${node.lastSeenAt === null ? 'never' : time(node.lastSeenAt)}</td>
    <td data-label="Agent">${node.agentVersion ?? '–'}</td>
  </tr>`;
}

export function renderNodesPage(nodes: readonly NodeResource[]): string {
  return renderPage({
    title: 'Nodes',
    nav: 'nodes',
    refresh: 5,
    body:
      nodes.length === 0
        ? html`<div class="title"><h1>Nodes</h1></div>
            ${noNodes}`
        : html`<div class="title"><h1>Nodes</h1></div>
            <div class="grid">${nodes.map(nodeCard)}</div>
            <section class="card">
              <table>
                <thead>
                  <tr>
                    <th>Node</th>
                    <th>Containers</th>
                    <th>WireGuard</th>
                    <th>Public address</th>
                    <th>Can</th>
                    <th>Generation</th>
                    <th>Last report</th>
                    <th>Agent</th>
                  </tr>
                </thead>
                <tbody>
                  ${nodes.map(details)}
                </tbody>
              </table>
            </section>`,
  });
}

export const noNodes = html`<p class="empty">
  No node yet. <code>landfall node add NAME</code> prints the line to run on a server.
</p>`;
