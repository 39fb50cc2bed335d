/** `landfall server|bot|api|worker|agent`: the processes themselves. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { Command } from 'commander';
import { packageRoot } from '../root.ts';
import { roles, type Role } from '../server/roles.ts';

const descriptions = {
  bot: 'take GitHub webhooks in and decide what they ask for',
  api: 'serve agents, the console and the CLI; holds no GitHub key',
  worker: 'move builds and rollouts forward and report to GitHub',
} as const satisfies Record<Role, string>;

const configured = `
Configured by the environment; docs/configuration.md has every variable. The least:
  GITHUB_APP_ID, GITHUB_PRIVATE_KEY_FILE, GITHUB_WEBHOOK_SECRET, REGISTRY_URL
Without DATABASE_URL, PostgreSQL runs from the npm package, in LANDFALL_DATA.`;

/** The control plane's packages are loaded only here: every other command starts without them. */
async function run(wanted: ReadonlySet<Role>): Promise<void> {
  const { serve } = await import('../server.ts');
  await serve(wanted);
  process.exit(0);
}

export function serverCommands(): Command[] {
  const whole = new Command('server')
    .description('run the control plane: bot, API and worker in one process')
    .addHelpText('after', configured)
    .action(() => run(new Set(roles)));
  const apart = roles.map((role) =>
    new Command(role)
      .description(`run one part of the control plane: ${descriptions[role]}`)
      .addHelpText('after', configured)
      .action(() => run(new Set([role]))),
  );
  return [whole, ...apart];
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
      const child = spawn(process.execPath, [file, ...command.args], { stdio: 'inherit' });
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
      child.on('close', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
    });
}
