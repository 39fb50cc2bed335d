/** Check runs with their output, annotations and buttons. */
import type { Annotation, CheckRun } from '../../state/model.ts';
import { html, link, type Html } from '../html.ts';
import { outputMarkdown } from '../markdown.ts';
import type { RepositoryView } from '../view.ts';
import { checkPill, sha, time } from '../words.ts';

const annotationsShown = 20;

function annotation(each: Annotation): Html {
  return html`<li class="annotation ${each.annotation_level ?? 'notice'}">
    <code>${each.path}:${each.start_line}</code> ${each.title === null ? null : html`<b>${each.title}</b> `}<span
      class="text"
      >${each.message}</span
    >
  </li>`;
}

function output({ id, output: { title, summary, text }, annotations }: CheckRun): Html {
  const hidden = annotations.length - annotationsShown;
  return html`${title === null ? null : html`<p><b>${title}</b></p>`}
  ${summary === null || summary === '' ? null : html`<div id="summary-${id}">${outputMarkdown(summary)}</div>`}
  ${
    annotations.length === 0
      ? null
      : html`<ul class="annotations" id="annotations-${id}">
          ${annotations.slice(0, annotationsShown).map(annotation)}
        </ul>`
  }
  ${hidden > 0 ? html`<p class="muted">and ${hidden} more annotations</p>` : null}
  ${
    text === null || text === ''
      ? null
      : html`<details id="text-${id}">
          <summary>Details</summary>
          ${outputMarkdown(text)}
        </details>`
  }`;
}

function buttons(run: CheckRun, fullName: string): Html {
  const own = run.actions.map(
    ({ identifier, label, description }) =>
      html`<form method="post" action="/${fullName}/_press">
        <input type="hidden" name="check" value="${run.id}" /><input
          type="hidden"
          name="identifier"
          value="${identifier}"
        />
        <button class="quiet" title="${description}">${label}</button>
      </form>`,
  );
  return html`<div class="row end" id="check-buttons-${run.id}">
    ${own}
    <form method="post" action="/${fullName}/_rerun">
      <input type="hidden" name="check" value="${run.id}" /><button class="quiet">Re-run</button>
    </form>
  </div>`;
}

function card(run: CheckRun, view: RepositoryView): Html {
  return html`<article class="card" id="check-${run.id}">
    <h3>${checkPill(run)} ${run.detailsUrl === null ? run.name : link(run.detailsUrl, run.name)}</h3>
    <p class="by">${sha(run.headSha)} started ${time(run.startedAt, view.now)}</p>
    ${output(run)} ${buttons(run, view.fullName)}
  </article>`;
}

export function checksSection(view: RepositoryView): Html {
  const empty = html`<p class="empty" id="no-checks">No checks ran yet.</p>`;
  const cards = view.checks.map((run) => card(run, view));
  return html`<section id="checks">
    <h2>Checks</h2>
    <div id="check-list">${cards.length === 0 ? empty : cards}</div>
  </section>`;
}
