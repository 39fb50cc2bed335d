import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { expect, it } from 'vitest';

const module = path.join(import.meta.dirname, '../../platform/lifecycle/signals.ts');
const program = `import { endAsked } from ${JSON.stringify(module)};
setInterval(() => undefined, 1_000);
const asked = endAsked();
console.log('ready');
const signal = await asked;
console.log('asked by ' + signal);
setTimeout(() => process.exit(0), 5_000);`;

it('ends once though the kernel says several times that a parent is gone, and at once when a person insists', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const exited = once(child, 'exit');
  await once(lines, 'line');
  const said = once(lines, 'line');
  for (let thread = 0; thread < 3; thread++) child.kill('SIGTERM');
  expect(await said).toEqual(['asked by SIGTERM']);
  // Until it takes it for another wish.
  const insist = setInterval(() => child.kill('SIGINT'), 50);
  const began = performance.now();
  expect((await exited)[0]).toBe(130);
  clearInterval(insist);
  expect(performance.now() - began).toBeGreaterThan(500);
});
