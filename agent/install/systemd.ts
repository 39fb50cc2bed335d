/** Text as systemd reads it in a unit. */

/** A command line for ExecStart, each word one word: systemd expands `%` and `$`, and takes quotes, backslashes and ends of lines. */
export function commandLine(words: readonly string[]): string {
  return words.map(quoted).join(' ');
}

/** A value that may hold `%`, which begins a specifier. */
export function withoutSpecifiers(text: string): string {
  return text.replaceAll('%', '%%');
}

function quoted(word: string): string {
  const escaped = withoutSpecifiers(word)
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('$', '$$$$');
  return /^[\w@%+=:,./-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}
