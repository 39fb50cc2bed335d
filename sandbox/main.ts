/** Runs the sandbox as a process of its own: configuration from the JSON file named first, one JSON line when ready. */
import { readFile } from 'node:fs/promises';
import { startSandbox, type SandboxOptions } from './server.ts';

async function readOptions(file: string | undefined): Promise<SandboxOptions> {
  if (file === undefined) throw new Error('Usage: sandbox/main.ts CONFIG.json');
  return JSON.parse(await readFile(file, 'utf8')) as SandboxOptions;
}

const sandbox = await startSandbox(await readOptions(process.argv[2]));
let closing: Promise<void> | undefined;
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.on(signal, () => {
    closing ??= sandbox.close();
  });
process.stdout.write(`${JSON.stringify({ ready: true, url: sandbox.url, apiUrl: sandbox.apiUrl })}\n`);
