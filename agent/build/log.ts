/** A build's log: BuildKit's progress as lines for a person, with secrets masked, bounded, on their way to the control plane. */
import { StringDecoder } from 'node:string_decoder';
import type { LogLine } from '../../core/contract/logs.ts';
import { boundLog, boundsOf } from '../../core/log/bound.ts';
import { createMask, maskText, type Mask } from '../../core/log/mask.ts';
import type { Clock } from '../loop/clock.ts';
import type { LogStream } from '../logs/shipper.ts';
import type { ProgressEvent } from './buildkit/progress.ts';

export interface BuildLog {
  readonly progress: (event: ProgressEvent) => void;
  /** A line of the agent's own. */
  readonly note: (text: string) => void;
  readonly mask: (text: string) => string;
  /** The last lines so far. */
  readonly tail: () => string[];
  /** Settles when the control plane has the whole log, or does not take it. */
  readonly end: () => Promise<void>;
}

export interface BuildLogOptions {
  stream: Pick<LogStream, 'push' | 'end'>;
  secrets: readonly string[];
  maxBytes: number;
  clock: Clock;
}

interface StepOutput {
  vertex: string;
  decoder: StringDecoder;
  mask: Mask;
  rest: string;
  error: boolean;
}

const tailLines = 50;
/** Of a line of the tail, which travels with the outcome; the log itself has more of it. */
const maxTailLine = 2_000;
/** Without a line end, what is longer is a line. */
const maxOpenLine = 16_384;
/** BuildKit tells of the end of a step before its last lines where it has many: the open line of a step waits for so long. */
const quietMs = 2_000;
/** How often what is held of a long log is passed on. */
const paceMs = 1_000;

export function buildLog(options: BuildLogOptions): BuildLog {
  const bound = boundLog(boundsOf(options));
  const numbers = new Map<string, number>();
  const outputs = new Map<string, StepOutput>();
  let tail: string[] = [];
  let cancelFlush: (() => void) | null = null;

  const pass = (lines: readonly LogLine[]): void => {
    if (lines.length > 0) options.stream.push(lines);
  };
  const flush = (): void => {
    cancelFlush?.();
    cancelFlush = null;
    pass(bound.flush());
  };
  const write = (text: string, line: { at: Date; error: boolean }): void => {
    tail = [...tail, text.slice(0, maxTailLine)].slice(-tailLines);
    pass(bound.push({ at: line.at.toISOString(), text, error: line.error }));
    if (bound.isHolding()) cancelFlush ??= options.clock.after(paceMs, flush);
  };
  const note = (text: string): void => {
    write(maskText(text, options.secrets), { at: options.clock.now(), error: false });
  };
  const numberOf = (vertex: string): number => {
    const number = numbers.get(vertex) ?? numbers.size + 1;
    numbers.set(vertex, number);
    return number;
  };
  const output = (vertex: string, error: boolean): StepOutput => {
    const key = `${vertex} ${error}`;
    const known = outputs.get(key);
    if (known !== undefined) return known;
    const decoder = new StringDecoder('utf8');
    const fresh = { vertex, decoder, mask: createMask(options.secrets), rest: '', error };
    outputs.set(key, fresh);
    return fresh;
  };
  const writeLines = (step: StepOutput, text: string, at: Date): void => {
    const lines = (step.rest + text).split('\n');
    step.rest = lines.pop() ?? '';
    for (const line of lines) write(line.replace(/\r$/, ''), { at, error: step.error });
    while (step.rest.length > maxOpenLine) {
      const piece = step.rest.slice(0, maxOpenLine).replace(/[\uD800-\uDBFF]$/, '');
      step.rest = step.rest.slice(piece.length);
      write(piece, { at, error: step.error });
    }
  };
  const closeOutput = (key: string, step: StepOutput, at: Date): void => {
    writeLines(step, step.mask.write(step.decoder.end()) + step.mask.end(), at);
    if (step.rest !== '') writeLines(step, '\n', at);
    outputs.delete(key);
  };
  const closeStep = (vertex: string, at: Date): void => {
    for (const [key, step] of outputs) if (step.vertex === vertex) closeOutput(key, step, at);
  };
  const say = (event: Exclude<ProgressEvent, { kind: 'log' }>): void => {
    const text = sentence(event, numberOf);
    if (text !== null) note(text);
  };

  const quiet = new Map<string, () => void>();
  const closeWhenQuiet = (vertex: string): void => {
    quiet.get(vertex)?.();
    const close = (): void => {
      quiet.delete(vertex);
      closeStep(vertex, options.clock.now());
    };
    quiet.set(vertex, options.clock.after(quietMs, close));
  };
  const failures: Extract<ProgressEvent, { kind: 'vertex-failed' }>[] = [];
  /** Nothing more comes from BuildKit: last words need no line end, and those of the step that failed come before its failure. */
  const settle = (): void => {
    for (const cancel of quiet.values()) cancel();
    quiet.clear();
    const failed = new Set(failures.map(({ vertex }) => vertex));
    for (const { vertex } of [...outputs.values()]) if (!failed.has(vertex)) closeStep(vertex, options.clock.now());
    for (const failure of failures.splice(0)) {
      closeStep(failure.vertex, failure.at);
      say(failure);
    }
  };

  return {
    note: (text) => {
      settle();
      note(text);
    },
    mask: (text) => maskText(text, options.secrets),
    tail: () => {
      settle();
      return [...tail];
    },
    progress: (event) => {
      if (event.kind === 'log') {
        const step = output(event.vertex, event.stream === 'stderr');
        writeLines(step, step.mask.write(step.decoder.write(Buffer.from(event.data))), event.at);
        if (quiet.has(event.vertex)) closeWhenQuiet(event.vertex);
      } else if (event.kind === 'vertex-completed') closeWhenQuiet(event.vertex);
      else if (event.kind === 'vertex-failed') failures.push(event);
      else say(event);
    },
    end: async () => {
      settle();
      flush();
      await options.stream.end();
    },
  };
}

function sentence(event: Exclude<ProgressEvent, { kind: 'log' }>, numberOf: (vertex: string) => number): string | null {
  switch (event.kind) {
    case 'vertex-started':
      return `#${numberOf(event.vertex)} ${event.name}`;
    case 'vertex-cached':
      return `#${numberOf(event.vertex)} CACHED ${event.name}`;
    case 'vertex-failed':
      return `#${numberOf(event.vertex)} FAILED ${event.name}: ${event.error}`;
    case 'warning':
      return `WARNING ${event.message}`;
    case 'vertex-completed':
    case 'status':
      return null;
  }
}
