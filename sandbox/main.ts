/** Runs the sandbox as a process of its own: configuration from the JSON file named first, one JSON line when ready. */
import { readFile } from 'node:fs/promises';
import { Ajv2019 } from 'ajv/dist/2019.js';
import Type from 'typebox';
import { startSandbox, type Sandbox, type SandboxOptions } from './server.ts';

const schema = Type.Object(
  {
    host: Type.Optional(Type.String()),
    port: Type.Integer({ minimum: 0, maximum: 65_535 }),
    dataDir: Type.String({ minLength: 1 }),
    app: Type.Object({
      id: Type.Integer(),
      slug: Type.String({ minLength: 1 }),
      privateKeyPublicPem: Type.String({ minLength: 1 }),
      permissions: Type.Optional(Type.Record(Type.String(), Type.String())),
    }),
    webhookUrl: Type.Union([Type.String(), Type.Null()]),
    webhookSecret: Type.String({ minLength: 1 }),
    controlToken: Type.String({ minLength: 16 }),
  },
  { additionalProperties: false },
);

/** A sentence for whoever started this process, who cannot use a stack trace. */
class CannotStart extends Error {}

async function readOptions(file: string | undefined): Promise<SandboxOptions> {
  if (file === undefined) throw new CannotStart('Usage: sandbox/main.ts CONFIG.json');
  try {
    const options: unknown = JSON.parse(await readFile(file, 'utf8'));
    const ajv = new Ajv2019();
    if (!ajv.validate<SandboxOptions>(schema, options))
      throw new CannotStart(`The sandbox cannot use ${file}: ${ajv.errorsText(ajv.errors, { dataVar: '' })}.`);
    return options;
  } catch (error) {
    if (error instanceof CannotStart) throw error;
    throw new CannotStart(`The sandbox cannot use ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function start(options: SandboxOptions): Promise<Sandbox> {
  try {
    return await startSandbox(options);
  } catch (error) {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    const address = `${options.host ?? '127.0.0.1'}:${options.port}`;
    throw isTaken ? new CannotStart(`The sandbox cannot listen on ${address}: the port is taken.`) : error;
  }
}

const endWithinMs = 4_000;

/** Whatever is under way then, the process ends: a client or a git that hangs is not waited for. */
async function end(sandbox: Sandbox): Promise<void> {
  setTimeout(() => {
    process.stderr.write(`The sandbox did not close within ${endWithinMs / 1000} s; it ends now.\n`);
    process.exit(1);
  }, endWithinMs).unref();
  await sandbox.close();
  process.exit(0);
}

async function run(): Promise<void> {
  const sandbox = await start(await readOptions(process.argv[2]));
  let ending: Promise<void> | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      ending ??= end(sandbox);
    });
  process.stdout.write(`${JSON.stringify({ ready: true, url: sandbox.url, apiUrl: sandbox.apiUrl })}\n`);
}

try {
  await run();
} catch (error) {
  if (!(error instanceof CannotStart)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
