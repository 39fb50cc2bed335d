/** A page that says one thing: why there is nothing to see, and what to do. */
import { html } from '../html.ts';
import { renderPage } from './layout.ts';

export function renderMessage({
  title,
  message,
  hint,
}: {
  title: string;
  message: string;
  hint: string | null;
}): string {
  return renderPage({
    title,
    nav: null,
    refresh: null,
    body: html`<section class="card message">
      <h1>${title}</h1>
      <p>${message}</p>
      ${hint !== null && html`<p class="meta">${hint}</p>`}
    </section>`,
  });
}
