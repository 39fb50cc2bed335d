/** The agent's process: reads its flags, runs until a signal, and ends what it started. */
import { agentEnvironment } from '../platform/config/agent.ts';
import { InputError, StalledError } from '../platform/errors/errors.ts';
import { endAsked } from '../platform/lifecycle/signals.ts';
import { createLog } from '../platform/log/log.ts';
import { parseFlags, usage, type Flags } from './flags.ts';
import { renderUnit } from './install/unit.ts';
import type { AgentOptions } from './options.ts';
import { registerNode, startAgent } from './start.ts';
import { agentVersion } from './version.ts';

type RunFlags = Exclude<Flags, { kind: 'help' }>;

async function main(argv: readonly string[]): Promise<number> {
  const flags = parseFlags(argv);
  if (flags.kind === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  if (flags.kind === 'unit') {
    process.stdout.write(renderUnit({ ...unitFlags(flags), node: process.execPath, script: process.argv[1] ?? '' }));
    return 0;
  }
  const { logLevel, variables } = agentEnvironment();
  const log = createLog({ name: 'agent', level: logLevel });
  const options = { ...flags, kind: flags.node, env: variables, agentVersion, log };
  if (flags.kind === 'run') return await runAgent(options);
  const { name } = await registerNode(options);
  process.stdout.write(`This node is registered as ${name}.\n`);
  return 0;
}

function unitFlags({ url, dataDir, node, builder }: RunFlags) {
  return { url, dataDir, kind: node, buildkitd: builder.kind === 'supervised' ? builder.program : null };
}

async function runAgent(options: AgentOptions): Promise<number> {
  const asked = endAsked();
  const { log } = options;
  const starting = startAgent(options);
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
function explain(error: unknown, asJson: boolean): string {
  if (error instanceof StalledError || error instanceof InputError) {
    const { code, message } = error;
    const hint = error instanceof StalledError ? error.hint : null;
    if (asJson) return JSON.stringify({ error: { code, message, hint } });
    return hint === null ? message : `${message} ${hint}`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${explain(error, process.argv.includes('--json'))}\n`);
    process.exit(1);
  },
);
