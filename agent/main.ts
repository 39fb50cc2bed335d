/** The agent's process: reads its flags, runs until a signal, and ends what it started. */
import { agentEnvironment } from '../platform/config/agent.ts';
import { InputError, StalledError } from '../platform/errors/errors.ts';
import { endAsked } from '../platform/lifecycle/signals.ts';
import { createLog } from '../platform/log/log.ts';
import { parseFlags, usage, type Flags } from './flags.ts';
import { startAgent } from './start.ts';
import { agentVersion } from './version.ts';

async function main(argv: readonly string[]): Promise<number> {
  const flags = parseFlags(argv);
  if (flags.kind === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  return await runAgent(flags);
}

async function runAgent(flags: Extract<Flags, { kind: 'run' }>): Promise<number> {
  const asked = endAsked();
  const { logLevel, variables } = agentEnvironment();
  const log = createLog({ name: 'agent', level: logLevel });
  const starting = startAgent({ ...flags, kind: flags.node, env: variables, agentVersion, log });
  const first = await Promise.race([starting, asked]);
  if (typeof first === 'string') return 0;
  const { nodeId, name } = first;
  process.stdout.write(`${JSON.stringify({ ready: true, nodeId, name })}\n`);
  log.info(`${await asked}: stopping`);
  const failures = await first.stop();
  for (const failure of failures) log.error(`${failure.name} did not end: ${failure.reason}`);
  return failures.length === 0 ? 0 : 1;
}

/** What a person has to do something about is a sentence; anything else is a bug and shows where. */
function explain(error: unknown): string {
  if (error instanceof StalledError) return error.hint === null ? error.message : `${error.message} ${error.hint}`;
  if (error instanceof InputError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${explain(error)}\n`);
    process.exit(1);
  },
);
