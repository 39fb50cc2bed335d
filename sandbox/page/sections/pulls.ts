/** Pull requests with their conversation. */
import type { ReactionContent, Role } from '../../state/model.ts';
import { html, type Html } from '../html.ts';
import { messageMarkdown } from '../markdown.ts';
import type { CommentView, PullView, RepositoryView } from '../view.ts';
import { person, pill, sha, time } from '../words.ts';

const faces: Readonly<Record<ReactionContent, string>> = {
  '+1': '👍',
  '-1': '👎',
  laugh: '😄',
  confused: '😕',
  heart: '❤️',
  hooray: '🎉',
  rocket: '🚀',
  eyes: '👀',
};

function statePill({ issue }: PullView): Html {
  if (issue.pull.merged !== null) return pill('merged', 'merged');
  return issue.state === 'open' ? pill('good', issue.pull.draft ? 'draft' : 'open') : pill('bad', 'closed');
}

function reactions({ reactions: all }: CommentView): Html | null {
  if (all.length === 0) return null;
  const kinds = [...new Set(all.map(({ content }) => content))];
  const count = (kind: ReactionContent) => all.filter(({ content }) => content === kind).length;
  return html`<p class="reactions">${kinds.map((kind) => html`<span>${faces[kind]} ${count(kind)}</span>`)}</p>`;
}

function conversation({ comments }: PullView, now: number): Html[] {
  return comments.map((view) => {
    const { comment, author } = view;
    const edited = comment.updatedAt > comment.createdAt ? html` · edited ${time(comment.updatedAt, now)}` : null;
    return html`<li class="comment" id="issuecomment-${comment.id}">
      <p class="by">${person(author)} ${time(comment.createdAt, now)}${edited}</p>
      ${messageMarkdown(comment.body)} ${reactions(view)}
    </li>`;
  });
}

export function roleWords(role: Role | null): string {
  return role === null ? 'no access' : role;
}

function commentForm({ issue }: PullView, { fullName, visitor, visitorRole }: RepositoryView): Html {
  const { number } = issue;
  return html`<form class="write" method="post" action="/${fullName}/_comment">
    <input type="hidden" name="number" value="${number}" />
    <textarea
      name="body"
      rows="2"
      required
      placeholder="Comment, or a command such as /deploy"
      aria-label="Comment"
    ></textarea>
    <div class="row">
      <span class="muted">as <b>${visitor.login}</b> (${roleWords(visitorRole)})</span>
      <button>Comment</button>
    </div>
  </form>`;
}

function button(fullName: string, number: number, { action, label }: { action: string; label: string }): Html {
  return html`<form method="post" action="/${fullName}/${action}">
    <input type="hidden" name="number" value="${number}" /><button class="quiet">${label}</button>
  </form>`;
}

function pullCard(pull: PullView, view: RepositoryView): Html {
  const { issue, author } = pull;
  const isOpen = issue.state === 'open';
  return html`<article class="card pull" id="pull-${issue.number}">
    <h3>${statePill(pull)} ${issue.title} <span class="muted">#${issue.number}</span></h3>
    <p class="by">
      ${person(author)} wants <code>${issue.pull.headRef}</code> ${sha(issue.pull.headSha)} in
      <code>${issue.pull.baseRef}</code> · ${time(issue.createdAt, view.now)}
    </p>
    ${issue.body === null || issue.body === '' ? null : messageMarkdown(issue.body)}
    <ol class="conversation" id="conversation-${issue.number}">
      ${conversation(pull, view.now)}
    </ol>
    ${commentForm(pull, view)}
    <div class="row end" id="buttons-${issue.number}">
      ${isOpen ? button(view.fullName, issue.number, { action: '_merge', label: 'Merge' }) : null}
      ${isOpen ? button(view.fullName, issue.number, { action: '_close', label: 'Close' }) : null}
    </div>
  </article>`;
}

/** For branches that have no open pull request yet. */
function openForm(view: RepositoryView): Html | null {
  const taken = new Set(
    view.pulls.filter(({ issue }) => issue.state === 'open').map(({ issue }) => issue.pull.headRef),
  );
  const main = view.branches.find(({ name }) => name === view.repository.defaultBranch);
  const ready = view.branches.filter(
    ({ name, sha: head }) => !taken.has(name) && name !== main?.name && head !== main?.sha,
  );
  if (ready.length === 0) return null;
  return html`<form class="card open-pull" id="open-pull" method="post" action="/${view.fullName}/_pull">
    <label
      >Open a pull request from
      <select name="head">
        ${ready.map(({ name }) => html`<option>${name}</option>`)}
      </select></label
    >
    <input name="title" placeholder="Title" required aria-label="Title" />
    <button>Open</button>
  </form>`;
}

export function pullsSection(view: RepositoryView): Html {
  const empty = html`<p class="empty" id="no-pulls">No pull requests yet. Push a branch, then open one here.</p>`;
  return html`<section id="pulls">
    <h2>Pull requests</h2>
    ${openForm(view)}
    <div id="pull-list">${view.pulls.length === 0 ? empty : view.pulls.map((pull) => pullCard(pull, view))}</div>
  </section>`;
}
