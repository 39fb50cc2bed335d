/**
 * Reads the engine's log files: `<time> <stdout|stderr> <F|P> <text>` a line, where P is a piece of a longer line. Pieces are joined and
 * masked before lines are cut, so that no border tears a secret apart.
 */
import { StringDecoder } from 'node:string_decoder';
import type { LogLine } from '../../core/contract/logs.ts';
import type { Mask, SecretMask } from '../../core/log/mask.ts';

export const outputs = ['stdout', 'stderr'] as const;
type Output = (typeof outputs)[number];

/** In a log file: reading anew from here gives the lines from this offset on. */
export interface Place {
  bytes: number;
  /** Of the next line. */
  nextOffset: number;
  /** Outputs whose first line begins before this place, where it cannot be read any more: what is left of it is not shown. */
  cut: readonly string[];
}

export interface CriReader {
  /** Gives the lines that are whole now, and how many bytes were read; the rest is to be given again when there is more of it. */
  readonly read: (chunk: Buffer) => { lines: LogLine[]; consumed: number };
  /** Nothing follows: what has no line end is a line too. */
  readonly close: () => LogLine[];
  /** The file goes on in another one. */
  readonly turn: () => void;
  /** Up to where it was read. */
  readonly bytes: () => number;
  /** The last place from which everything that follows can be read anew, open lines too. */
  readonly place: () => Place;
}

interface OpenLine {
  output: Output;
  began: Place;
  decoder: StringDecoder;
  mask: Mask;
  at: string;
  /** Masked, and not given yet. */
  text: string;
}

interface CriRecord {
  output: Output;
  at: string;
  isWhole: boolean;
  text: Buffer;
}

/** To be read at once. What is longer without a line end was not written by an engine, and is left out. */
export const chunkBytes = 64 * 1_024;
/** What the contract takes in one line: what is longer are several. */
const maxText = 16_384;
const maxHeader = 80;
const header = /^(\S+) (stdout|stderr) ([FP])(?: |$)/;

export function criReader(from: Place, mask: SecretMask): CriReader {
  let { bytes, nextOffset } = from;
  const cut = new Set<string>(from.cut);
  const openLines = new Map<Output, OpenLine>();

  const here = (): Place => ({ bytes, nextOffset, cut: [...cut] });
  const place = (): Place =>
    [...openLines.values()].map(({ began }) => began).sort((a, b) => a.bytes - b.bytes)[0] ?? here();
  const opened = (output: Output): OpenLine => {
    // Whatever is read anew from the beginning of this line needs the beginning of those that are open now.
    const fresh = { output, began: place(), decoder: new StringDecoder('utf8'), mask: mask.stream(), at: '', text: '' };
    openLines.set(output, fresh);
    return fresh;
  };
  /** All but what may grow into a line that is too long. */
  const pieces = (line: OpenLine): LogLine[] => {
    const found: LogLine[] = [];
    while (line.text.length > maxText) {
      const text = line.text.slice(0, maxText).replace(/[\uD800-\uDBFF]$/, '');
      line.text = line.text.slice(text.length);
      found.push({ at: line.at, text, error: line.output === 'stderr' });
    }
    return found;
  };
  const ended = (line: OpenLine, rest: string): LogLine[] => {
    line.text += line.mask.write(rest) + line.mask.end();
    openLines.delete(line.output);
    return [...pieces(line), { at: line.at, text: line.text, error: line.output === 'stderr' }];
  };
  const record = ({ output, at, isWhole, text }: CriRecord): LogLine[] => {
    if (cut.has(output)) {
      if (isWhole) cut.delete(output);
      return [];
    }
    const known = openLines.get(output);
    if (known === undefined && isWhole && text.length <= maxText)
      return [{ at, text: mask.text(text.toString()), error: output === 'stderr' }];
    const line = known ?? opened(output);
    line.at = at;
    if (isWhole) return ended(line, line.decoder.end(text));
    line.text += line.mask.write(line.decoder.write(text));
    return pieces(line);
  };
  const counted = (lines: LogLine[]): LogLine[] => {
    nextOffset += lines.length;
    return lines;
  };

  return {
    read: (chunk) => {
      const lines: LogLine[] = [];
      let consumed = 0;
      for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, consumed)) {
        const found = recordOf(chunk.subarray(consumed, end));
        if (found !== null) lines.push(...counted(record(found)));
        bytes += end + 1 - consumed;
        consumed = end + 1;
      }
      if (consumed === 0 && chunk.length >= chunkBytes) {
        bytes += chunk.length;
        consumed = chunk.length;
      }
      return { lines, consumed };
    },
    close: () => counted([...openLines.values()].flatMap((line) => ended(line, line.decoder.end()))),
    turn: () => {
      bytes = 0;
      for (const line of openLines.values()) line.began = { ...here(), cut: [...cut, ...openLines.keys()] };
    },
    bytes: () => bytes,
    place,
  };
}

/** Null for what the engine did not write this way. */
function recordOf(bytes: Buffer): CriRecord | null {
  const match = header.exec(bytes.toString('latin1', 0, maxHeader));
  const at = new Date(match?.[1] ?? '');
  if (match === null || Number.isNaN(at.getTime())) return null;
  return {
    output: match[2] === 'stderr' ? 'stderr' : 'stdout',
    at: at.toISOString(),
    isWhole: match[3] === 'F',
    text: bytes.subarray(match[0].length),
  };
}
