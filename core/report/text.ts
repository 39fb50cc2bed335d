/** Makes foreign text fit to be shown at GitHub: plain, short enough, and unable to become markup. */

/** GitHub counts characters in some fields and bytes in others: bytes are the stricter. */
export const maxOutputBytes = 65_535;
export const maxDescription = 140;
export const maxTitle = 255;

/** Without terminal colours, control characters and halves of characters. */
export function plain(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex -- escape sequences of terminals are what is taken out
      .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?/g, '')
      .replace(/\r\n?/g, '\n')
      // eslint-disable-next-line no-control-regex -- control characters are what is taken out
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
      .replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD')
  );
}

/** In one line of Markdown: nothing in it is markup, a table's border, or a mention. */
export function inline(text: string): string {
  return plain(text)
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\\`*_{}[\]()#+!|~]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/@/g, '@\u200b');
}

/** A code block that nothing in the text can end: its fence is longer than any in it. */
export function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}

/** At most so many characters, whole ones, with an ellipsis where something is missing. */
export function clip(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  return `${text.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** At most so many bytes of UTF-8, cut between lines, with a note where something is missing. */
export function clipLines(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const note = '\n\n(The rest is left out: it is too long for GitHub.)';
  const kept: string[] = [];
  let left = maxBytes - Buffer.byteLength(note);
  for (const line of text.split('\n')) {
    left -= Buffer.byteLength(line) + 1;
    if (left < 0) break;
    kept.push(line);
  }
  return kept.join('\n') + note;
}

/** The last lines that fit into so many bytes; a line that alone is too long is clipped. */
export function lastLines(lines: readonly string[], maxBytes: number): string[] {
  const kept: string[] = [];
  let left = maxBytes;
  for (const line of lines.toReversed()) {
    const shown = clip(plain(line).replaceAll('\n', ' '), 2_000);
    left -= Buffer.byteLength(shown) + 1;
    if (left < 0) break;
    kept.unshift(shown);
  }
  return kept;
}
