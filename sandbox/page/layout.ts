/** The frame around every page. */
import type { User } from '../state/model.ts';
import { html, type Html } from './html.ts';

/** Nothing runs or loads but the sandbox's own files. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export interface Frame {
  readonly title: string;
  readonly crumbs: Html;
  readonly visitor: User;
  readonly people: readonly User[];
  /** Where the page returns to when the visitor changes. */
  readonly path: string;
  readonly body: Html;
}

function visitorForm({ visitor, people, path }: Frame): Html {
  return html`<form class="visitor" method="post" action="/_visitor">
    <input type="hidden" name="back" value="${path}" />
    <label>You are <input name="login" list="people" value="${visitor.login}" size="12" autocomplete="off" /></label>
    <datalist id="people">${people.map(({ login }) => html`<option value="${login}"></option>`)}</datalist>
    <button class="quiet">Switch</button>
  </form>`;
}

export function layout(frame: Frame): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${frame.title}</title>
        <link rel="stylesheet" href="/_assets/page.css" />
        <link rel="icon" href="/_assets/icon.svg" type="image/svg+xml" />
        <script src="/_assets/page.js" defer></script>
      </head>
      <body>
        <header class="bar">
          <a class="home" href="/"><img src="/_assets/icon.svg" alt="" width="24" height="24" /> Sandbox GitHub</a>
          <nav>${frame.crumbs}</nav>
          ${visitorForm(frame)}
        </header>
        <main id="main">${frame.body}</main>
        <footer>A stand-in for GitHub that runs on this machine. Nothing here leaves it.</footer>
      </body>
    </html>`;
  return page.text;
}
