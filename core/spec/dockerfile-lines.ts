/** Cuts a Dockerfile into its instructions, and their arguments into words. Each character is looked at a fixed number of times. */

export type Instruction = {
  /** In capitals. */
  keyword: string;
  rest: string;
};

/** Instructions with their continuations joined; comments and the bodies of here-documents left out. */
export function* instructions(dockerfile: string): Generator<Instruction, void> {
  const lines = dockerfile.split(/\r?\n/);
  const escape = lines.some((line) => /^#\s*escape\s*=\s*`\s*$/i.test(line)) ? '`' : '\\';
  let pending: string[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = (lines[index] ?? '').trim();
    if (line.startsWith('#') || (line === '' && pending.length > 0)) continue;
    if (line.endsWith(escape)) {
      pending.push(line.slice(0, -1));
      continue;
    }
    const [keyword, rest] = firstWord([...pending, line].join(' ').trim());
    pending = [];
    if (/^[A-Za-z]+$/.test(keyword) && rest !== '') yield { keyword: keyword.toUpperCase(), rest };
    index = afterHereDocuments(lines, index, rest);
  }
}

/** Goes on from where the one before ended: no line is compared twice. */
function afterHereDocuments(lines: readonly string[], index: number, rest: string): number {
  let last = index;
  for (const [, dash, _quote, name] of rest.matchAll(/<<(-?)(["']?)([A-Za-z_]\w*)\2/g)) {
    do last++;
    while (last < lines.length && (dash ? lines[last]?.replace(/^\t+/, '') : lines[last]) !== name);
  }
  return last;
}

/** The first word, and what follows the white space behind it. */
export function firstWord(text: string): [word: string, rest: string] {
  const end = text.search(/\s/);
  return end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end).trimStart()];
}

/** Parted by white space that is not in quotes; quotes and what is escaped in them stay as they are written. */
export function quotedWords(text: string): string[] {
  const found: string[] = [];
  let word = '';
  for (const [piece] of text.matchAll(/\s+|[^\s"']+|"(?:[^"\\]|\\.)*(?:"|\\?$)|'[^']*(?:'|$)/gs)) {
    if (/^\s/.test(piece)) {
      if (word !== '') found.push(word);
      word = '';
    } else word += piece;
  }
  return word === '' ? found : [...found, word];
}
