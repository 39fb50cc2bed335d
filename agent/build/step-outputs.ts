/** What the steps of a build print: each output by itself, masked before it is cut into lines. */
import { StringDecoder } from 'node:string_decoder';
import { createMask, type Mask } from '../../core/log/mask.ts';
import type { ProgressEvent } from './buildkit/progress.ts';
import type { LineFacts } from './log-writer.ts';

interface StepOutput {
  vertex: string;
  decoder: StringDecoder;
  mask: Mask;
  /** Masked, and without a line end so far. */
  rest: string;
  error: boolean;
}

/** Without a line end, what is longer is a line. */
const maxOpenLine = 16_384;

export class StepOutputs {
  readonly #secrets: readonly string[];
  readonly #write: (text: string, line: LineFacts) => void;
  readonly #outputs = new Map<string, StepOutput>();

  constructor(secrets: readonly string[], write: (text: string, line: LineFacts) => void) {
    this.#secrets = secrets;
    this.#write = write;
  }

  print({ vertex, stream, data, at }: Extract<ProgressEvent, { kind: 'log' }>): void {
    const output = this.#output(vertex, stream === 'stderr');
    this.#writeLines(output, output.mask.write(output.decoder.write(Buffer.from(data))), at);
  }

  /** Steps with output that is not closed. */
  vertices(): Set<string> {
    return new Set([...this.#outputs.values()].map(({ vertex }) => vertex));
  }

  /** The step prints no more: its last words need no line end. */
  close(vertex: string, at: Date): void {
    for (const [key, output] of this.#outputs) {
      if (output.vertex !== vertex) continue;
      this.#writeLines(output, output.mask.write(output.decoder.end()) + output.mask.end(), at);
      if (output.rest !== '') this.#writeLines(output, '\n', at);
      this.#outputs.delete(key);
    }
  }

  #output(vertex: string, error: boolean): StepOutput {
    const key = `${vertex} ${error}`;
    const known = this.#outputs.get(key);
    if (known !== undefined) return known;
    const decoder = new StringDecoder('utf8');
    const fresh = { vertex, decoder, mask: createMask(this.#secrets), rest: '', error };
    this.#outputs.set(key, fresh);
    return fresh;
  }

  #writeLines(output: StepOutput, text: string, at: Date): void {
    const { error } = output;
    const lines = (output.rest + text).split('\n');
    output.rest = lines.pop() ?? '';
    for (const line of lines) this.#write(line.replace(/\r$/, ''), { at, error });
    while (output.rest.length > maxOpenLine) {
      const piece = output.rest.slice(0, maxOpenLine).replace(/[\uD800-\uDBFF]$/, '');
      output.rest = output.rest.slice(piece.length);
      this.#write(piece, { at, error });
    }
  }
}
