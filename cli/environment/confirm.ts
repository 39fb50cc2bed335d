/** Asks a person to type a name before something ends that cannot be brought back. */
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { InputError } from '../../platform/errors/errors.ts';

export interface Terminal {
  input: Readable & { isTTY?: boolean };
  output: Writable;
}

/** @throws InputError when nobody is there to ask, or something else is typed. */
export async function confirmName(name: string, { input, output }: Terminal): Promise<void> {
  if (input.isTTY !== true)
    throw new InputError('not_confirmed', `Nothing was removed. Say --yes to remove ${name} without being asked.`);
  const lines = createInterface({ input, output, terminal: false });
  try {
    output.write(`Type ${name} to confirm: `);
    const typed = await new Promise<string>((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(''));
    });
    if (typed.trim() !== name) throw new InputError('not_confirmed', 'Nothing was removed: another name was typed.');
  } finally {
    lines.close();
  }
}
