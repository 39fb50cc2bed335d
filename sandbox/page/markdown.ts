/** Markdown as GitHub shows it in comments and in the output of checks. HTML in it is text here, and nothing is loaded from elsewhere. */
import MarkdownIt from 'markdown-it';
import { Html, html } from './html.ts';

function renderer(options: { breaks?: boolean }): (text: string) => Html {
  const markdown = new MarkdownIt({ html: false, linkify: true, ...options }).disable('image');
  // A column's alignment would be an inline style, which the page's policy forbids.
  markdown.renderer.rules['th_open'] = () => '<th>';
  markdown.renderer.rules['td_open'] = () => '<td>';
  return (text) => html`<div class="markdown">${new Html(markdown.render(text))}</div>`;
}

/** The output of a check: a new line in a paragraph is a space, as in a file. */
export const outputMarkdown = renderer({});

/** What a person or an App writes into a conversation: a new line is one. */
export const messageMarkdown = renderer({ breaks: true });
