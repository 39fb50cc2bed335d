/** `npm run bench [NAME…]`: measures, prints each row as it is known, and writes RESULTS.md and results.json when all were run. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { benches } from './benches.ts';
import { renderResults, type BenchMachine } from './report.ts';
import type { BenchRow } from './row.ts';

const here = import.meta.dirname;

function machine(): BenchMachine {
  const git = (...args: string[]): string => execFileSync('git', ['-C', here, ...args], { encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', ':!bench/RESULTS.md', ':!bench/results.json') !== '';
  return {
    commit: `${git('rev-parse', '--short=12', 'HEAD')}${changed ? ' with changes' : ''}`,
    date: new Date().toISOString().slice(0, 10),
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.cpus().length,
    memoryGib: Math.round(os.totalmem() / 1024 ** 3),
    kernel: os.release(),
    node: process.versions.node,
  };
}

async function main(names: string[]): Promise<number> {
  const unknown = names.filter((name) => !(name in benches));
  if (unknown.length > 0) {
    console.error(`There is no bench ${unknown.join(', ')}. There are: ${Object.keys(benches).join(', ')}.`);
    return 1;
  }
  const rows: BenchRow[] = [];
  const details: string[] = [];
  for (const [name, bench] of Object.entries(benches)) {
    if (names.length > 0 && !names.includes(name)) continue;
    console.error(`measuring ${name} …`);
    const measured = await bench();
    for (const row of measured.rows) console.log(JSON.stringify(row));
    rows.push(...measured.rows);
    if (measured.details !== undefined) details.push(measured.details);
  }
  if (names.length > 0) return 0;
  const about = machine();
  const notes = readFileSync(path.join(here, 'NOTES.md'), 'utf8');
  const page = path.join(here, 'RESULTS.md');
  const text = renderResults(about, rows, [...details, notes]);
  writeFileSync(page, await format(text, { ...(await resolveConfig(page)), filepath: page }));
  writeFileSync(
    path.join(here, 'results.json'),
    `${JSON.stringify(
      rows.map((row) => ({ ...row, machine: about })),
      null,
      2,
    )}\n`,
  );
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
