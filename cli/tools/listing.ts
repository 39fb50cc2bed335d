/** What `landfall tools` shows: one row for each program, decided from what was seen and rendered as a table. */
import { choose, type Sightings } from './fit.ts';
import type { Need, Pin, Program } from './pins.ts';
import { describeRange, formatVersion } from './version.ts';

export interface ToolRow {
  program: string;
  /** The name `tools install` takes. */
  tool: string;
  purpose: string;
  neededBy: readonly Need[];
  wanted: string;
  state: 'found' | 'unfit' | 'absent';
  version: string | null;
  path: string | null;
  source: 'path' | 'cache' | null;
}

function row(pin: Pin, program: Program, sightings: Sightings): ToolRow {
  const chosen = choose(pin, program, sightings);
  const [first] = sightings.get(program.name) ?? [];
  const shown = chosen ?? first ?? null;
  return {
    program: program.name,
    tool: pin.name,
    purpose: pin.purpose,
    neededBy: pin.neededBy,
    wanted: describeRange(pin.fits),
    state: chosen !== null ? 'found' : shown !== null ? 'unfit' : 'absent',
    version: shown?.version == null ? null : formatVersion(shown.version),
    path: shown?.path ?? null,
    source: shown?.source ?? null,
  };
}

export function toolRows(pins: readonly Pin[], sightings: Sightings): ToolRow[] {
  return pins.flatMap((pin) => pin.programs.map((program) => row(pin, program, sightings)));
}

const headings = ['PROGRAM', 'WANTED', 'FOUND', 'SOURCE', 'NEEDED BY', 'PATH'] as const;

function cells(tool: ToolRow): string[] {
  const found = { found: tool.version ?? '', unfit: `${tool.version ?? '?'} (unfit)`, absent: 'missing' }[tool.state];
  return [
    tool.program,
    tool.wanted,
    found,
    tool.source ?? '',
    tool.neededBy.length === 0 ? 'other tools' : tool.neededBy.join(' '),
    tool.path ?? `install with: landfall tools install ${tool.tool}`,
  ];
}

/** A table for a terminal; columns are as wide as their widest cell. */
export function renderTools(rows: readonly ToolRow[]): string {
  const table = [[...headings], ...rows.map(cells)];
  const widths = headings.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  return table
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
