/** `landfall server|bot|api|worker|agent`: the processes themselves. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { Command, Option } from 'commander';
import { agentFlags } from '../../platform/lifecycle/node-flags.ts';
import { packageRoot } from '../root.ts';
import { roles, type Role } from '../server/roles.ts';
import { renderServerUnit } from '../server/unit.ts';

const descriptions = {
  bot: 'take GitHub webhooks in and decide what they ask for',
  api: 'serve agents, the console and the CLI; holds no GitHub key',
  worker: 'move builds and rollouts forward and report to GitHub',
} as const satisfies Record<Role, string>;

const githubVariables = ['GITHUB_APP_ID', 'GITHUB_PRIVATE_KEY_FILE', 'GITHUB_WEBHOOK_SECRET'];

/** The variables that these parts do not start without, and those that make them of use. */
const needed = (wanted: readonly Role[]): string =>
  [
    ...(wanted.includes('bot') || wanted.includes('worker') ? githubVariables : []),
    'REGISTRY_URL',
    ...(wanted.includes('api') ? ['LANDFALL_URL', 'LANDFALL_ACCESS_TOKEN'] : []),
  ].join(', ');

const configured = (wanted: readonly Role[]): string => `
Configured by the environment; docs/configuration.md has every variable. The least:
  ${needed(wanted)}
Without DATABASE_URL, PostgreSQL runs from the npm package, in LANDFALL_DATA${
  wanted.length === roles.length ? '.' : ':\none process has it, so parts that run apart share a DATABASE_URL.'
}
When it is ready, it prints {"ready":true,"address":"http://…"}. Its log goes to standard error, a JSON object a line.`;

/** The control plane's packages are loaded only here: every other command starts without them. */
async function run(wanted: ReadonlySet<Role>): Promise<void> {
  const { serve } = await import('../server.ts');
  await serve(wanted);
  process.exit(0);
}

export function serverCommands(): Command[] {
  const whole = 'run the control plane: bot, API and worker in one process';
  return [
    serverCommand('server', whole, roles),
    ...roles.map((role) => serverCommand(role, `run one part of the control plane: ${descriptions[role]}`, [role])),
  ];
}

function serverCommand(name: string, description: string, wanted: readonly Role[]): Command {
  return new Command(name)
    .description(description)
    .addOption(new Option('--json', 'print a failure as JSON too'))
    .addOption(new Option('--unit', 'only print the systemd unit that runs this (docs/server.md)'))
    .addHelpText('after', configured(wanted))
    .action(({ unit }: { unit?: true }) => (unit === true ? printUnit(wanted) : run(new Set(wanted))));
}

function printUnit(wanted: readonly Role[]): void {
  const script = path.join(packageRoot(), 'dist', 'server.js');
  const parts = wanted.length === roles.length ? [] : wanted;
  process.stdout.write(renderServerUnit({ node: process.execPath, script, parts }));
}

/** The agent is a file of its own, as it is on servers: its flags are its own too. */
export function agentCommand(): Command {
  return new Command('agent')
    .description('run the agent of this server (landfall agent --help shows its flags)')
    .allowUnknownOption()
    .helpOption(false)
    .argument('[flags...]')
    .action((_flags: string[], _options: object, command: Command) => {
      const file = path.join(packageRoot(), 'dist', 'agent.js');
      const child = spawn(process.execPath, [...agentFlags, file, ...command.args], { stdio: 'inherit' });
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
      child.on('close', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
    });
}
