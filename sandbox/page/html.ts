/** HTML as a template tag: every value is encoded unless it is HTML already. */

export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type HtmlValue = string | number | Html | null | readonly HtmlValue[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function encode(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

function render(value: HtmlValue): string {
  if (value === null) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'string') return encode(value);
  if (typeof value === 'number') return String(value);
  return value.map(render).join('');
}

/** `null` renders nothing, a list renders its items. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(parts.reduce((text, part, at) => text + render(values[at - 1] ?? null) + part));
}

/** A link only where the address is a web address; anything else is shown as text. */
export function link(href: string, label: HtmlValue): Html {
  return /^https?:\/\//i.test(href)
    ? html`<a href="${href}" rel="noreferrer">${label}</a>`
    : html`<span title="${href}">${label}</span>`;
}
