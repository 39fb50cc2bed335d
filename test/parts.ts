/** Real parts for tests: the path of an external program, or a failure that names the command which installs it. */
import type { ProgramName } from '../cli/tools/pins.ts';
import { resolveTool } from '../cli/tools/resolve.ts';
import { StalledError } from '../platform/errors/errors.ts';

const found = new Map<ProgramName, Promise<string>>();

async function find(name: ProgramName): Promise<string> {
  try {
    return (await resolveTool(name)).path;
  } catch (error) {
    if (error instanceof StalledError) throw new Error(`${error.message} ${error.hint ?? ''}`, { cause: error });
    throw error;
  }
}

/** Path of the program. A missing one fails the test that asks: a part is never skipped. */
export function part(name: ProgramName): Promise<string> {
  const path = found.get(name) ?? find(name);
  found.set(name, path);
  return path;
}
