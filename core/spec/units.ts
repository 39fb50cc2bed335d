/** Durations, sizes, shares of a core and command lines as people write them. Each answers null when it cannot be read. */

const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `5s`, `1m30s`, `250ms` → milliseconds. */
export function durationMs(text: string): number | null {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    total += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  return Math.round(total);
}

const unitBytes: Record<string, number> = {
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** `256Mi`, `1.5Gi`, `500M` → bytes. */
export function sizeBytes(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)([KMGT]i?)$/.exec(text);
  return match ? Math.round(Number(match[1]) * (unitBytes[match[2] ?? ''] ?? 0)) : null;
}

/** Bytes as people write them: in the unit that needs the fewest characters and leaves nothing over. */
export function sizeText(bytes: number): string {
  const fitting = Object.entries(unitBytes)
    .filter(([, size]) => bytes >= size && bytes % size === 0)
    .map(([unit, size]) => `${bytes / size}${unit}`)
    .sort((a, b) => a.length - b.length);
  return fitting[0] ?? `${bytes} bytes`;
}

/** `0.5`, `2`, `250m` → thousandths of a core. */
export function cpuMillis(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(m?)$/.exec(text);
  return match ? Math.round(Number(match[1]) * (match[2] === 'm' ? 1 : 1_000)) : null;
}

export type Words = { ok: true; words: string[] } | { ok: false; message: string };

/** Splits a command line at blanks, with the quotes of a shell and nothing else of it. */
export function commandWords(text: string): Words {
  const words: string[] = [];
  const token = /\s+|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)/gy;
  let word: string | null = null;
  let at = 0;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    at = token.lastIndex;
    const [whole, single, double, escaped, plain] = match;
    const operator = plain === undefined ? null : /[|&;<>()`]|\$\(/.exec(plain);
    if (operator) return { ok: false, message: noShell(operator[0]) };
    const part = single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? plain;
    if (part !== undefined) word = (word ?? '') + part;
    else if (word !== null && whole !== '') {
      words.push(word);
      word = null;
    }
  }
  if (at < text.length) return { ok: false, message: `a quote or backslash is not closed: ${text.slice(at, at + 20)}` };
  if (word !== null) words.push(word);
  return words.length > 0 ? { ok: true, words } : { ok: false, message: 'the command is empty' };
}

function noShell(operator: string): string {
  return `no shell reads this, so ${operator} would be passed on as text: quote it, or write ["sh", "-c", "…"]`;
}
