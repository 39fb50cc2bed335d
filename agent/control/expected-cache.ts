/** The last expected state on disk, so that a node heals itself while the control plane is away. Secrets in it stay sealed. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { ExpectedState } from '../../core/contract/expected-state.ts';
import { readIfThere } from '../../platform/files/if-there.ts';
import { writeAtomically } from '../storage/atomic-file.ts';

const validator = Compile(Type.Object({ version: Type.Literal(1), state: ExpectedState }));

export interface ExpectedCache {
  /** Null when there is none, or one that this version does not understand. */
  readonly read: () => Promise<ExpectedState | null>;
  readonly write: (state: ExpectedState) => Promise<void>;
}

const fileIn = (dataDir: string): string => path.join(dataDir, 'expected-state.json');

/** Of a node that is registered anew. */
export function forgetExpected(dataDir: string): Promise<void> {
  return rm(fileIn(dataDir), { force: true });
}

/** What is kept of another node, whose identity this one had before, is none of ours. */
export function expectedCache(dataDir: string, nodeId: string, log: (line: string) => void): ExpectedCache {
  const file = fileIn(dataDir);
  return {
    read: async () => {
      const text = await readIfThere(file);
      if (text === null) return null;
      const parsed = parse(text);
      if (parsed === null) log(`${file} is not understood and left aside; the control plane is asked.`);
      else if (parsed.nodeId !== nodeId) log(`${file} is of node ${parsed.nodeId} and left aside; this is ${nodeId}.`);
      return parsed?.nodeId === nodeId ? parsed : null;
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
