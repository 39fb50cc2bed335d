/** Reads from a Dockerfile the port that its image declares. */

type Stage = { name: string | null; parent: Stage | null; ports: number[]; variables: Map<string, string> };

type Reading = { stages: Stage[]; globals: Map<string, string>; args: Record<string, string> };

/** The first TCP port that the target stage (or the last) exposes, itself or through the stages it is made from. */
export function exposedPort(
  dockerfile: string,
  { target, args }: { target: string | null; args: Record<string, string> },
): number | null {
  const reading: Reading = { stages: [], globals: new Map(), args };
  for (const { keyword, rest } of instructions(dockerfile)) read(keyword, rest, reading);
  const wanted = target?.toLowerCase() ?? null;
  let stage = wanted === null ? reading.stages.at(-1) : reading.stages.find(({ name }) => name === wanted);
  for (; stage; stage = stage.parent ?? undefined) {
    const [port] = stage.ports;
    if (port !== undefined) return port;
  }
  return null;
}

function read(keyword: string, rest: string, reading: Reading): void {
  const stage = reading.stages.at(-1);
  if (keyword === 'FROM') reading.stages.push(newStage(rest, reading));
  else if (keyword === 'ARG') readArg(rest, reading);
  else if (keyword === 'ENV' && stage) readEnv(rest, stage);
  else if (keyword === 'EXPOSE' && stage) stage.ports.push(...tcpPorts(substitute(rest, stage.variables)));
}

function newStage(rest: string, { stages, globals }: Reading): Stage {
  const [image, as, name] = rest.split(/\s+/).filter((word) => !word.startsWith('--'));
  const base = substitute(image ?? '', globals).toLowerCase();
  const parent = stages.findLast((stage) => stage.name === base) ?? null;
  return {
    name: as?.toUpperCase() === 'AS' && name ? name.toLowerCase() : null,
    parent,
    ports: [],
    variables: new Map(parent?.variables),
  };
}

function readArg(rest: string, { stages, globals, args }: Reading): void {
  const stage = stages.at(-1);
  for (const [name, value] of assignments(rest)) {
    const given = args[name] ?? (value === null ? globals.get(name) : substitute(value, stage?.variables ?? globals));
    if (given !== undefined) (stage?.variables ?? globals).set(name, given);
  }
}

function readEnv(rest: string, stage: Stage): void {
  const spaced = /^([A-Za-z_]\w*)\s+([^=]*)$/.exec(rest);
  const pairs: [string, string | null][] = spaced ? [[spaced[1] ?? '', spaced[2] ?? '']] : assignments(rest);
  const values = pairs.map(([name, value]) => [name, substitute(value ?? '', stage.variables)] as const);
  for (const [name, value] of values) stage.variables.set(name, value);
}

function assignments(rest: string): [string, string | null][] {
  const words = rest.match(/(?:[^\s"']|"(?:[^"\\]|\\.)*"|'[^']*')+/g) ?? [];
  return words.map((word) => {
    const at = word.indexOf('=');
    return at < 0 ? [word, null] : [word.slice(0, at), word.slice(at + 1).replace(/^(["'])(.*)\1$/s, '$2')];
  });
}

/** `$NAME`, `${NAME}`, `${NAME:-other}`, `${NAME:+other}`; what is not known is empty. */
function substitute(text: string, variables: Map<string, string>): string {
  return text.replace(
    /\$(?:\{(\w+)(?::([-+])([^}]*))?\}|(\w+))/g,
    (_whole, braced?: string, operator?: string, other?: string, plain?: string) => {
      const value = variables.get(braced ?? plain ?? '') ?? '';
      if (operator === '-') return value === '' ? (other ?? '') : value;
      if (operator === '+') return value === '' ? '' : (other ?? '');
      return value;
    },
  );
}

function tcpPorts(text: string): number[] {
  return text.split(/\s+/).flatMap((word) => {
    const match = /^(\d{1,5})(?:-\d{1,5})?(?:\/tcp)?$/i.exec(word.replace(/^(["'])(.*)\1$/, '$2'));
    const port = Number(match?.[1] ?? 0);
    return port >= 1 && port <= 65_535 ? [port] : [];
  });
}

/** Instructions with their continuations joined; comments and the bodies of here-documents left out. */
function instructions(dockerfile: string): { keyword: string; rest: string }[] {
  const lines = dockerfile.split(/\r?\n/);
  const escape = lines.some((line) => /^#\s*escape\s*=\s*`\s*$/i.test(line)) ? '`' : '\\';
  const found: { keyword: string; rest: string }[] = [];
  let pending = '';
  for (let index = 0; index < lines.length; index++) {
    const line = (lines[index] ?? '').trim();
    if (line.startsWith('#') || (line === '' && pending !== '')) continue;
    if (line.endsWith(escape)) {
      pending += line.slice(0, -1) + ' ';
      continue;
    }
    const whole = (pending + line).trim();
    pending = '';
    const match = /^([A-Za-z]+)\s+(.*)$/s.exec(whole);
    if (match) found.push({ keyword: (match[1] ?? '').toUpperCase(), rest: match[2] ?? '' });
    index = afterHereDocuments(lines, index, match?.[2] ?? '');
  }
  return found;
}

function afterHereDocuments(lines: readonly string[], index: number, rest: string): number {
  let last = index;
  for (const [, dash, _quote, name] of rest.matchAll(/<<(-?)(["']?)([A-Za-z_]\w*)\2/g)) {
    const end = lines.findIndex((line, at) => at > last && (dash ? line.replace(/^\t+/, '') : line) === name);
    if (end < 0) return lines.length;
    last = end;
  }
  return last;
}
