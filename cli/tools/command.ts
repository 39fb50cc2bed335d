/** `landfall tools`: shows which external programs are found where, and installs those that are missing. */
import { Argument, Command, Option } from 'commander';
import { InputError } from '../../platform/errors/errors.ts';
import { thisHost } from './host.ts';
import { installTools } from './install.ts';
import { renderTools, toolRows } from './listing.ts';
import { findPin, pins, pinsFor, type Need, type Pin } from './pins.ts';
import { sightAll } from './sighting.ts';

interface ListOptions {
  json?: true;
}

interface InstallOptions extends ListOptions {
  for?: Need;
  quiet?: true;
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
/** Progress goes to standard error, so that standard output holds the result alone. */
const report = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

async function show(chosen: readonly Pin[], options: ListOptions): Promise<void> {
  const rows = toolRows(chosen, await sightAll(chosen, thisHost()));
  print(options.json === true ? JSON.stringify(rows, null, 2) : renderTools(rows));
}

function named(name: string): Pin {
  const pin = findPin(name);
  if (pin !== null) return pin;
  const known = pins.map((known) => known.name).join(', ');
  throw new InputError('tool_unknown', `There is no tool "${name}". Known are: ${known}.`, { path: 'NAME' });
}

/** Names given, else those that `--for` asks for, else those of `up`. */
function asked(names: readonly string[], options: InstallOptions): Pin[] {
  const byNeed = options.for !== undefined || names.length === 0 ? pinsFor(options.for ?? 'up') : [];
  return [...new Set([...names.map(named), ...byNeed])];
}

async function install(names: readonly string[], options: InstallOptions): Promise<void> {
  const chosen = asked(names, options);
  await installTools({ pins: chosen, host: thisHost(), report });
  if (options.quiet !== true) await show(chosen, options);
}

const json = (): Option => new Option('--json', 'print JSON instead of a table');

export function toolsCommand(): Command {
  const tools = new Command('tools')
    .description('show and install the external programs that Landfall runs')
    .addHelpText(
      'after',
      `
Each program is taken from PATH when its version fits, else from the cache
(~/.cache/landfall/tools, or below XDG_CACHE_HOME). What is missing comes from a
release whose SHA-256 is pinned, from Debian's packages, or is built with Go.

Examples:
  landfall tools                        what is found where
  landfall tools list --json            the same, for a script
  landfall tools install --for test     everything the test suite needs
  landfall tools install traefik        one tool`,
    );
  tools
    .command('list', { isDefault: true })
    .description('show each program: version wanted, version found, where, and what needs it')
    .addOption(json())
    .action((options: ListOptions) => show(pins, options));
  tools
    .command('install')
    .description('install what is missing; without names, what `landfall up` needs')
    .addArgument(new Argument('[NAME...]', 'tools, by the names that `landfall tools` lists'))
    .addOption(new Option('--for <what>', 'everything that is needed for it').choices(['up', 'test', 'node']))
    .option('-q, --quiet', 'do not list the tools afterwards')
    .addOption(json())
    .action((names: string[], options: InstallOptions) => install(names, options));
  return tools;
}
