/** Renders what was measured: a table for people, one object a row for programs. */
import type { BenchRow } from './row.ts';

export interface BenchMachine {
  commit: string;
  /** ISO date. */
  date: string;
  cpu: string;
  cores: number;
  memoryGib: number;
  kernel: string;
  node: string;
}

const round = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 1 ? value.toFixed(2) : value.toPrecision(2);

function line(row: BenchRow): string {
  const cells = [
    row.id,
    `${round(row.ours)} ${row.unit}`,
    row.peer === null ? '–' : `${round(row.peer)} ${row.unit}`,
    row.ratio === null ? '–' : `${row.ratio.toFixed(2)} ×`,
    row.target,
    row.met === null ? '–' : row.met ? 'yes' : '**no**',
    String(row.runs),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** Markdown. `sections` follow the table. */
export function renderResults(machine: BenchMachine, rows: readonly BenchRow[], sections: readonly string[]): string {
  return `# Results

Written by \`npm run bench\`. Medians; peers are measured in the same run, in turn with ours.

Commit ${machine.commit}, ${machine.date}. ${machine.cores} cores of ${machine.cpu}, ${machine.memoryGib} GiB, Linux ${machine.kernel}, Node ${machine.node}.

| what | ours | peer | ratio | target | met | runs |
| ---- | ---- | ---- | ----- | ------ | --- | ---- |
${rows.map(line).join('\n')}

${sections.map((section) => section.trim()).join('\n\n')}
`;
}
