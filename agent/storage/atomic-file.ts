/** Files that are whole or not there: written beside, flushed, renamed. */
import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';

/** Readable by the owner alone; survives a power cut at any moment as the old content or the new. */
export async function writeAtomically(file: string, content: string): Promise<void> {
  const directory = path.dirname(file);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const beside = `${file}.new`;
  const handle = await open(beside, 'w', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
  const parent = await open(directory, 'r');
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}
