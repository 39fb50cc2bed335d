/** Reads the engine's log files: pieces of lines are joined and masked before lines are cut, so that no border tears a secret apart. */
import { StringDecoder } from 'node:string_decoder';
import type { LogLine } from '../../core/contract/logs.ts';
import type { Mask, SecretMask } from '../../core/log/mask.ts';
import { recordOf, type CriRecord, type Output } from './cri-record.ts';

/** In a log file: reading anew from here gives the lines from this offset on. */
export interface Place {
  bytes: number;
  /** Of the next line. */
  nextOffset: number;
  /** Outputs whose first line begins before this place, where it cannot be read any more: what is left of it is not shown. */
  cut: readonly string[];
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

/** To be read at once. What is longer without a line end was not written by an engine, and is left out. */
export const chunkBytes = 64 * 1_024;
/** What the contract takes in one line: what is longer are several. */
const maxText = 16_384;

export class CriReader {
  readonly #mask: SecretMask;
  readonly #cut: Set<string>;
  readonly #openLines = new Map<Output, OpenLine>();
  #bytes: number;
  #nextOffset: number;

  constructor({ bytes, nextOffset, cut }: Place, mask: SecretMask) {
    this.#bytes = bytes;
    this.#nextOffset = nextOffset;
    this.#cut = new Set(cut);
    this.#mask = mask;
  }

  /** Gives the lines that are whole now, and how many bytes were read; the rest is to be given again when there is more of it. */
  read(chunk: Buffer): { lines: LogLine[]; consumed: number } {
    const lines: LogLine[] = [];
    let consumed = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, consumed)) {
      const record = recordOf(chunk.subarray(consumed, end));
      if (record !== null) lines.push(...this.#counted(this.#linesOf(record)));
      this.#bytes += end + 1 - consumed;
      consumed = end + 1;
    }
    if (consumed === 0 && chunk.length >= chunkBytes) {
      this.#bytes += chunk.length;
      consumed = chunk.length;
    }
    return { lines, consumed };
  }

  /** Nothing follows: what has no line end is a line too. */
  close(): LogLine[] {
    return this.#counted([...this.#openLines.values()].flatMap((line) => this.#ended(line, line.decoder.end())));
  }

  /** The file goes on in another one. */
  turn(): void {
    this.#bytes = 0;
    for (const line of this.#openLines.values())
      line.began = { ...this.#here(), cut: [...this.#cut, ...this.#openLines.keys()] };
  }

  /** Up to where it was read. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The last place from which everything that follows can be read anew, open lines too. */
  place(): Place {
    const began = [...this.#openLines.values()].map((line) => line.began);
    return began.sort((a, b) => a.bytes - b.bytes)[0] ?? this.#here();
  }

  #here(): Place {
    return { bytes: this.#bytes, nextOffset: this.#nextOffset, cut: [...this.#cut] };
  }

  #linesOf({ output, at, isWhole, text }: CriRecord): LogLine[] {
    if (this.#cut.has(output)) {
      if (isWhole) this.#cut.delete(output);
      return [];
    }
    const known = this.#openLines.get(output);
    if (known === undefined && isWhole && text.length <= maxText)
      return [{ at, text: this.#mask.text(text.toString()), error: output === 'stderr' }];
    const line = known ?? this.#begun(output);
    line.at = at;
    if (isWhole) return this.#ended(line, line.decoder.end(text));
    line.text += line.mask.write(line.decoder.write(text));
    return takePieces(line);
  }

  #begun(output: Output): OpenLine {
    // Whatever is read anew from the beginning of this line needs the beginning of those that are open now.
    const began = this.place();
    const line = { output, began, decoder: new StringDecoder('utf8'), mask: this.#mask.stream(), at: '', text: '' };
    this.#openLines.set(output, line);
    return line;
  }

  #ended(line: OpenLine, rest: string): LogLine[] {
    line.text += line.mask.write(rest) + line.mask.end();
    this.#openLines.delete(line.output);
    return [...takePieces(line), { at: line.at, text: line.text, error: line.output === 'stderr' }];
  }

  #counted(lines: LogLine[]): LogLine[] {
    this.#nextOffset += lines.length;
    return lines;
  }
}

/** All but what may grow into a line that is too long. */
function takePieces(line: OpenLine): LogLine[] {
  const found: LogLine[] = [];
  while (line.text.length > maxText) {
    const text = line.text.slice(0, maxText).replace(/[\uD800-\uDBFF]$/, '');
    line.text = line.text.slice(text.length);
    found.push({ at: line.at, text, error: line.output === 'stderr' });
  }
  return found;
}
