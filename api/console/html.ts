/** HTML as a value: what is put into a template is encoded, unless it is HTML already (P71). */

export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

export type Content = Html | string | number | null | false | readonly Content[];

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function encode(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** A template tag. Attributes are to be quoted in the template; `null` and `false` leave nothing. */
export function html(literals: TemplateStringsArray, ...contents: Content[]): Html {
  const parts = literals.map((literal, index) => literal + render(index < contents.length ? contents[index] : null));
  return new Html(parts.join(''));
}

function render(content: Content | undefined): string {
  if (content === null || content === undefined || content === false) return '';
  if (content instanceof Html) return content.text;
  if (typeof content === 'string' || typeof content === 'number') return encode(String(content));
  return content.map(render).join('');
}
