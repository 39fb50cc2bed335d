/** The page of one repository, and the list of all. */
import type { User } from '../state/model.ts';
import { fullName, type World } from '../world.ts';
import { html } from './html.ts';
import { layout } from './layout.ts';
import { branchesSection, commitsSection } from './sections/code.ts';
import { checksSection } from './sections/checks.ts';
import { deploymentsSection } from './sections/deployments.ts';
import { pullsSection } from './sections/pulls.ts';
import { peopleOf, type RepositoryView } from './view.ts';
import { time } from './words.ts';

export function repositoryPage(view: RepositoryView): string {
  const [ownerLogin = '', name = ''] = view.fullName.split('/');
  const path = `/${view.fullName}`;
  const body = html`<div class="title" id="title">
      <h1>${ownerLogin} / <b>${name}</b></h1>
      <span class="badge">${view.repository.private ? 'private' : 'public'}</span>
      <code class="clone" title="Clone with a token">git clone ${view.cloneUrl}</code>
    </div>
    <div class="columns" id="columns" data-events="${path}/_events">
      <div class="column" id="left">${pullsSection(view)} ${commitsSection(view)}</div>
      <div class="column" id="right">${deploymentsSection(view)} ${checksSection(view)} ${branchesSection(view)}</div>
    </div>`;
  const crumbs = html`<a href="${path}">${view.fullName}</a>`;
  return layout({ title: view.fullName, crumbs, visitor: view.visitor, people: view.people, path, body });
}

export function repositoriesPage(world: World, visitor: User): string {
  const now = world.now();
  const rows = world.tables.repositories.all().map((repository) => {
    const name = fullName(world, repository);
    return html`<li id="repository-${repository.id}">
      <span class="what"
        ><a href="/${name}"><b>${name}</b></a>
        <span class="badge">${repository.private ? 'private' : 'public'}</span></span
      >
      <span class="muted">pushed ${time(repository.pushedAt, now)}</span>
    </li>`;
  });
  const empty = html`<p class="empty">No repositories yet.</p>`;
  const body = html`<section class="narrow" id="columns" data-events="/_events">
    <h2>Repositories</h2>
    ${
      rows.length === 0
        ? empty
        : html`<ul class="card rows" id="repository-list">
            ${rows}
          </ul>`
    }
  </section>`;
  const people = peopleOf(world);
  return layout({ title: 'Sandbox GitHub', crumbs: html``, visitor, people, path: '/', body });
}

export function missingPage(world: World, visitor: User): string {
  const body = html`<section class="narrow">
    <h2>Not found</h2>
    <p>There is no such page. <a href="/">All repositories</a></p>
  </section>`;
  return layout({ title: 'Not found', crumbs: html``, visitor, people: peopleOf(world), path: '/', body });
}
