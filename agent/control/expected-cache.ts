/** The last expected state on disk, so that a node heals itself while the control plane is away. Secrets in it stay sealed. */
import path from 'node:path';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { ExpectedState } from '../../core/contract/expected-state.ts';
import { readIfThere, writeAtomically } from '../storage/atomic-file.ts';

const validator = Compile(Type.Object({ version: Type.Literal(1), state: ExpectedState }));

export interface ExpectedCache {
  /** Null when there is none, or one that this version does not understand. */
  readonly read: () => Promise<ExpectedState | null>;
  readonly write: (state: ExpectedState) => Promise<void>;
}

export function expectedCache(dataDir: string, log: (line: string) => void): ExpectedCache {
  const file = path.join(dataDir, 'expected-state.json');
  return {
    read: async () => {
      const text = await readIfThere(file);
      if (text === null) return null;
      const parsed = parse(text);
      if (parsed === null) log(`${file} is not understood and left aside; the control plane is asked.`);
      return parsed;
    },
    // Offers of work are not kept: an old one is not worth a claim.
    write: (state) => writeAtomically(file, JSON.stringify({ version: 1, state: { ...state, work: [] } })),
  };
}

function parse(text: string): ExpectedState | null {
  try {
    const value: unknown = JSON.parse(text);
    return validator.Check(value) ? value.state : null;
  } catch {
    return null;
  }
}
