/** Takes secrets out of logs, also where one is cut by the border of two chunks. */

export type Mask = {
  /** What may be shown now; the end of a chunk is held back while it may be the start of a secret. */
  write(chunk: string): string;
  /** What was held back. */
  end(): string;
};

/** What stands in place of a secret. */
export const masked = '***';

const shortestSecret = 4;
/** Single lines of a secret of several lines are masked from this length on: shorter ones stand in many texts. */
const shortestLine = 8;

/** Of these secrets, for many texts and streams. */
export type SecretMask = {
  /** For a text that is whole. */
  text: (text: string) => string;
  stream: () => Mask;
};

/** Values shorter than four characters are not masked: they would shred every line. */
export function secretMask(secrets: readonly string[]): SecretMask {
  const forms = formsOf(secrets);
  return { text: (text) => replace(text, matches(text, forms)), stream: () => streamMask(forms) };
}

/** For a stream. */
export function createMask(secrets: readonly string[]): Mask {
  return secretMask(secrets).stream();
}

/** Holds back less than the longest form is long. */
function streamMask(forms: readonly string[]): Mask {
  let held = '';
  /** So much of what is held back is covered by a mask that was shown already. */
  let covered = 0;
  return {
    write(chunk) {
      const text = held + chunk;
      const found = matches(text, forms, covered);
      const open = openStart(text, forms);
      const shown = replace(text.slice(0, open), found);
      // What overlaps a secret that may still be growing is masked with it, as one.
      covered = (found.find(({ start, end }) => start < open && open < end)?.end ?? open) - open;
      held = text.slice(open);
      return shown;
    },
    end() {
      const rest = replace(held, matches(held, forms, covered));
      held = '';
      covered = 0;
      return rest;
    },
  };
}

/** For a text that is whole. */
export function maskText(text: string, secrets: readonly string[]): string {
  return textMask(secrets)(text);
}

/** For many texts that are whole. */
export function textMask(secrets: readonly string[]): (text: string) => string {
  return secretMask(secrets).text;
}

/** The ways in which a secret is likely to stand in a log: as it is, by line, and as encoders write it. */
function formsOf(secrets: readonly string[]): string[] {
  const forms = secrets
    .flatMap((secret) => [secret, secret.trim()])
    .filter(({ length }) => length >= shortestSecret)
    .flatMap((secret) => [
      secret,
      ...linesOf(secret),
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret.replace(/[\uD800-\uDFFF]/g, '')),
      ...base64Forms(secret),
    ]);
  return [...new Set(forms)].filter(({ length }) => length >= shortestSecret);
}

function linesOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/);
  return lines.length > 1 ? lines.map((line) => line.trim()).filter(({ length }) => length >= shortestLine) : [];
}

/** Alone, and after other text: the first and last characters depend on what stands beside it, so they are left out. */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const shifted = [1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return text.replace(/=+$/, '').slice(shift + 1, -1);
  });
  const whole = bytes.toString('base64').replace(/=+$/, '');
  return [whole, ...[whole.slice(0, -1), ...shifted].filter(({ length }) => length >= shortestLine)].flatMap((form) => [
    form,
    form.replaceAll('+', '-').replaceAll('/', '_'),
  ]);
}

type Interval = { start: number; end: number };

/** Where secrets stand; those that overlap are one. The first `covered` characters belong to one that began before the text. */
function matches(text: string, forms: readonly string[], covered = 0): Interval[] {
  const found: Interval[] = covered > 0 ? [{ start: -1, end: covered }] : [];
  for (const form of forms) {
    for (let start = text.indexOf(form); start >= 0; start = text.indexOf(form, start + 1)) {
      found.push({ start, end: start + form.length });
    }
  }
  const merged: Interval[] = [];
  for (const { start, end } of found.sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1);
    if (last && start < last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}

/** Where the longest end of the text begins that may be the start of a secret. */
function openStart(text: string, forms: readonly string[]): number {
  const last = text.at(-1);
  let start = text.length;
  for (const form of forms) {
    for (let length = Math.min(form.length - 1, text.length); length > text.length - start; length--) {
      if (form[length - 1] === last && text.endsWith(form.slice(0, length))) start = text.length - length;
    }
  }
  return start;
}

/** What began before the text has its mask already; what begins behind it is none of it. */
function replace(text: string, found: readonly Interval[]): string {
  let shown = '';
  let from = 0;
  for (const { start, end } of found) {
    if (start >= text.length) break;
    if (start >= 0) shown += text.slice(from, start) + masked;
    from = end;
  }
  return shown + text.slice(from);
}
