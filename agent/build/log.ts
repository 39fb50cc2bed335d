/** A build's log: BuildKit's progress as lines for a person, with secrets masked, on their way to the control plane. */
import { maskText } from '../../core/log/mask.ts';
import type { Clock } from '../loop/clock.ts';
import type { ProgressEvent } from './buildkit/progress.ts';
import { LogWriter, type LogWriterOptions } from './log-writer.ts';
import { StepOutputs } from './step-outputs.ts';

export interface BuildLogOptions extends LogWriterOptions {
  secrets: readonly string[];
}

type StepEvent = Exclude<ProgressEvent, { kind: 'log' }>;
type StepFailure = Extract<ProgressEvent, { kind: 'vertex-failed' }>;

/** BuildKit tells of the end of a step before its last lines where it has many: the open line of a step waits for so long. */
const quietMs = 2_000;

export class BuildLog {
  readonly #secrets: readonly string[];
  readonly #clock: Clock;
  readonly #writer: LogWriter;
  readonly #outputs: StepOutputs;
  readonly #numbers = new Map<string, number>();
  /** Of steps that have ended: what keeps their open lines from being closed. */
  readonly #quiet = new Map<string, () => void>();
  readonly #failures: StepFailure[] = [];

  constructor(options: BuildLogOptions) {
    this.#secrets = options.secrets;
    this.#clock = options.clock;
    this.#writer = new LogWriter(options);
    this.#outputs = new StepOutputs(options.secrets, (text, line) => this.#writer.write(text, line));
  }

  progress(event: ProgressEvent): void {
    if (event.kind === 'log') {
      this.#outputs.print(event);
      if (this.#quiet.has(event.vertex)) this.#closeWhenQuiet(event.vertex);
    } else if (event.kind === 'vertex-completed') this.#closeWhenQuiet(event.vertex);
    else if (event.kind === 'vertex-failed') this.#failures.push(event);
    else this.#say(event);
  }

  /** A line of the agent's own. */
  note(text: string): void {
    this.#settle();
    this.#write(text);
  }

  mask(text: string): string {
    return maskText(text, this.#secrets);
  }

  /** The last lines so far. */
  tail(): string[] {
    this.#settle();
    return this.#writer.tail();
  }

  /** Settles when the control plane has the whole log, or does not take it. */
  async end(): Promise<void> {
    this.#settle();
    await this.#writer.end();
  }

  /** Nothing more comes from BuildKit: last words need no line end, and those of the step that failed come before its failure. */
  #settle(): void {
    for (const cancel of this.#quiet.values()) cancel();
    this.#quiet.clear();
    const failed = new Set(this.#failures.map(({ vertex }) => vertex));
    for (const vertex of this.#outputs.vertices())
      if (!failed.has(vertex)) this.#outputs.close(vertex, this.#clock.now());
    for (const failure of this.#failures.splice(0)) {
      this.#outputs.close(failure.vertex, failure.at);
      this.#say(failure);
    }
  }

  #closeWhenQuiet(vertex: string): void {
    this.#quiet.get(vertex)?.();
    const close = (): void => {
      this.#quiet.delete(vertex);
      this.#outputs.close(vertex, this.#clock.now());
    };
    this.#quiet.set(vertex, this.#clock.after(quietMs, close));
  }

  #say(event: StepEvent): void {
    const text = sentence(event, (vertex) => this.#numberOf(vertex));
    if (text !== null) this.#write(text);
  }

  #write(text: string): void {
    this.#writer.write(this.mask(text), { at: this.#clock.now(), error: false });
  }

  #numberOf(vertex: string): number {
    const number = this.#numbers.get(vertex) ?? this.#numbers.size + 1;
    this.#numbers.set(vertex, number);
    return number;
  }
}

function sentence(event: StepEvent, numberOf: (vertex: string) => number): string | null {
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
