/** The last lines of a container's log file, masked. */
import type { SecretMask } from '../../core/log/mask.ts';
import { CriReader } from './cri.ts';
import { openLogFile } from './log-file.ts';

export interface TailOptions {
  path: string;
  mask: SecretMask;
  lines: number;
  /** It writes no more: what has no line end is a line too. */
  hasEnded: boolean;
}

/** Read from the end of the file; a line that begins before that is not shown, because its secrets may begin there too. */
const maxBytes = 256 * 1_024;

export async function logTail({ path, mask, lines, hasEnded }: TailOptions): Promise<string[]> {
  const file = await openLogFile(path, '');
  if (file === null) return [];
  try {
    const from = Math.max(0, (await file.size()) - maxBytes);
    const buffer = Buffer.alloc(maxBytes);
    const chunk = buffer.subarray(0, await file.read(buffer, from));
    // The first of its bytes are the rest of a record; it has no header of its own.
    const whole = from === 0 ? chunk : chunk.subarray(chunk.indexOf(0x0a) + 1);
    const reader = new CriReader({ bytes: 0, nextOffset: 0, cut: from === 0 ? [] : ['stdout', 'stderr'] }, mask);
    const read = reader.read(whole).lines;
    const all = hasEnded ? [...read, ...reader.close()] : read;
    return all.slice(-lines).map(({ text }) => text);
  } finally {
    await file.close();
  }
}
