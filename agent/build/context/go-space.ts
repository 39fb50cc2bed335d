/** White space as Go's unicode.IsSpace knows it: JavaScript's trim also takes U+FEFF and leaves U+0085. */
const space = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
const around = new RegExp(`^${space}|${space}$`, 'g');

export function trimSpace(text: string): string {
  return text.replace(around, '');
}
