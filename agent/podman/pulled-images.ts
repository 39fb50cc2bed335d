/** Which images this agent pulled, and when, on disk: nobody else's are ever removed. */
import path from 'node:path';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { readIfThere } from '../../platform/files/if-there.ts';
import { writeAtomically } from '../storage/atomic-file.ts';

export interface PulledImages {
  readonly all: () => ReadonlyMap<string, Date>;
  /** Before it is pulled: one that is there and not noted would stay for ever. */
  readonly note: (name: string, at: Date) => Promise<void>;
  readonly forget: (names: readonly string[]) => Promise<void>;
}

const Content = Compile(Type.Record(Type.String(), Type.String({ format: 'date-time' })));

export async function pulledImages(dataDir: string, log: (line: string) => void): Promise<PulledImages> {
  const file = path.join(dataDir, 'pulled-images.json');
  const pulled = parse((await readIfThere(file)) ?? '{}');
  if (pulled === null) log(`${file} is not understood and left aside: images pulled until now are not removed.`);
  const all = new Map(pulled);
  // One write after the other, each of everything.
  let written: Promise<void> = Promise.resolve();
  const write = async (): Promise<void> => {
    written = written
      .then(() => writeAtomically(file, JSON.stringify(Object.fromEntries(all))))
      // A full disk must not keep an image from being pulled; the next write has it.
      .catch((error: unknown) => log(`${file} could not be written: ${String(error)}`));
    await written;
  };
  return {
    all: () => all,
    note: async (name, at) => {
      if (all.has(name)) return;
      all.set(name, at);
      await write();
    },
    forget: async (names) => {
      for (const name of names) all.delete(name);
      if (names.length > 0) await write();
    },
  };
}

function parse(text: string): Map<string, Date> | null {
  try {
    const value: unknown = JSON.parse(text);
    if (!Content.Check(value)) return null;
    return new Map(Object.entries(value).map(([name, at]) => [name, new Date(at)]));
  } catch {
    return null;
  }
}
