/** How far the log of each allocation was taken by the control plane, on disk, so that a new start goes on from there. */
import path from 'node:path';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { readIfThere } from '../../platform/files/if-there.ts';
import { writeAtomically } from '../storage/atomic-file.ts';

export const Cursor = Type.Object({
  containerId: Type.String(),
  inode: Type.Integer(),
  /** Of the file that were taken. */
  bytes: Type.Integer(),
  /** Offset of the next line in the allocation's log, over all its containers. */
  nextOffset: Type.Integer(),
  /** Outputs whose first line there is not to be shown, because its beginning cannot be read any more. */
  cut: Type.Optional(Type.Array(Type.String())),
});
export type Cursor = Static<typeof Cursor>;

const Cursors = Compile(Type.Record(Type.String(), Cursor));

export interface CursorFile {
  readonly read: () => Promise<Record<string, Cursor>>;
  readonly write: (cursors: Readonly<Record<string, Cursor>>) => Promise<void>;
}

export function cursorFile(dataDir: string): CursorFile {
  const file = path.join(dataDir, 'log-cursors.json');
  return {
    // A file that cannot be read only means that lines are sent again, and told apart by their offsets.
    read: async () => parse((await readIfThere(file)) ?? '{}'),
    write: (cursors) => writeAtomically(file, JSON.stringify(cursors)),
  };
}

function parse(text: string): Record<string, Cursor> {
  try {
    const value: unknown = JSON.parse(text);
    return Cursors.Check(value) ? value : {};
  } catch {
    return {};
  }
}
