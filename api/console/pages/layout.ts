/** The frame of every page. */
import { html, type Content, type Html } from '../html.ts';
import { assetUrl } from '../assets.ts';

export interface Page {
  title: string;
  /** Which entry of the navigation is this one; null shows no navigation: the reader came by a link to one page. */
  nav: 'overview' | 'nodes' | 'none' | null;
  body: Content;
  /** Seconds after which the page's script loads it again; null for a page that is done, or lives by its events. */
  refresh: number | null;
}

const mark = html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
  <path d="M12 2.5 20 15H4z" />
  <path d="M2.5 18.5c2.4-1.6 4-1.6 6.3 0s4 1.6 6.4 0 4-1.6 6.3 0" />
</svg>`;

function entry(page: Page, name: 'overview' | 'nodes', href: string): Html {
  const label = name === 'overview' ? 'Overview' : 'Nodes';
  return page.nav === name
    ? html`<a href="${href}" aria-current="page">${label}</a>`
    : html`<a href="${href}">${label}</a>`;
}

export function renderPage(page: Page): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${page.title} · Landfall</title>
        <link rel="icon" href="${assetUrl('favicon.svg')}" type="image/svg+xml" />
        <link rel="stylesheet" href="${assetUrl('console.css')}" />
        <script src="${assetUrl('console.js')}" type="module"></script>
      </head>
      <body>
        <header class="top">
          <a class="brand" href="/">${mark}<span>Landfall</span></a>
          ${page.nav !== null && html`<nav>${entry(page, 'overview', '/')}${entry(page, 'nodes', '/nodes')}</nav>`}
        </header>
        ${page.refresh === null ? html`<main>${page.body}</main>` : html`<main data-refresh="${page.refresh}">${page.body}</main>`}
      </body>
    </html>`.text;
}
