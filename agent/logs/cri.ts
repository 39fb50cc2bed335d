/** Reads the engine's log files: `<time> <stdout|stderr> <F|P> <text>` a line, where P is a piece of a longer line. */
import type { LogLine } from '../../core/contract/logs.ts';

export interface CriLine {
  line: LogLine;
  /** Bytes from the beginning of the chunk to the end of this line. */
  endsAt: number;
}

export interface CriChunk {
  lines: CriLine[];
  /** Bytes that make up whole lines; the rest is read again when there is more of it. */
  consumed: number;
}

const maxText = 16_384;
const pattern = /^(\S+) (stdout|stderr) ([FP])(?: (.*))?$/s;

/** Pieces of one long line are joined; a line the engine did not write this way is left out. */
export function parseCri(bytes: Buffer): CriChunk {
  const lines: CriLine[] = [];
  let consumed = 0;
  let pieces = '';
  for (let start = 0; ;) {
    const newline = bytes.indexOf(0x0a, start);
    if (newline === -1) return { lines, consumed };
    const match = pattern.exec(bytes.toString('utf8', start, newline));
    start = newline + 1;
    if (match === null) continue;
    const [, time = '', stream, kind, text = ''] = match;
    pieces += text;
    if (kind === 'P' && pieces.length < maxText) continue;
    const line = { at: new Date(time).toISOString(), text: pieces.slice(0, maxText), error: stream === 'stderr' };
    lines.push({ line, endsAt: start });
    consumed = start;
    pieces = '';
  }
}
