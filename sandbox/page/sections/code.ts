/** Commits and branches. */
import { html, type Html } from '../html.ts';
import type { RepositoryView } from '../view.ts';
import { checkTone, sha, time } from '../words.ts';

function marks(view: RepositoryView, commit: string): Html[] {
  const checks = view.checks
    .filter(({ headSha }) => headSha === commit)
    .map((run) => html`<a class="mark ${checkTone(run)}" href="#check-${run.id}" title="${run.name}"></a>`);
  const branches = view.branches
    .filter((branch) => branch.sha === commit)
    .map(({ name }) => html`<code class="branch">${name}</code>`);
  return [...branches, ...checks];
}

export function commitsSection(view: RepositoryView): Html {
  const rows = view.commits.map(
    (commit) =>
      html`<li id="commit-${commit.sha}">
        <span class="what">${commit.message.split('\n')[0] ?? ''} ${marks(view, commit.sha)}</span>
        <span class="muted"
          >${commit.author.name} · ${time(Date.parse(commit.committer.date), view.now)} ${sha(commit.sha)}</span
        >
      </li>`,
  );
  const empty = html`<p class="empty" id="no-commits">Nothing was pushed yet.</p>`;
  return html`<section id="commits">
    <h2>Commits</h2>
    ${
      rows.length === 0
        ? empty
        : html`<ol class="card rows" id="commit-list">
            ${rows}
          </ol>`
    }
  </section>`;
}

export function branchesSection(view: RepositoryView): Html {
  const rows = view.branches.map(
    ({ name, sha: head }) =>
      html`<li id="branch-${name}">
        <span class="what"
          ><code class="branch">${name}</code
          >${name === view.repository.defaultBranch ? html` <span class="badge">default</span>` : null}</span
        >
        ${sha(head)}
      </li>`,
  );
  return html`<section id="branches">
    <h2>Branches</h2>
    <ul class="card rows" id="branch-list">
      ${rows}
    </ul>
  </section>`;
}
