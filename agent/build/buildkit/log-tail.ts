/** Keeps what a failure is explained with: the names of the steps, which of them failed, and the last lines each printed. */
import { StringDecoder } from 'node:string_decoder';
import type { FailedStep } from './errors.ts';
import type { ProgressEvent } from './progress.ts';

const keptLines = 50;
const keptLineLength = 2000;

interface StepLog {
  readonly lines: string[];
  readonly decoder: StringDecoder;
  rest: string;
}

function append(log: StepLog, data: Uint8Array): void {
  const parts = (log.rest + log.decoder.write(Buffer.from(data))).split('\n');
  log.rest = (parts.pop() ?? '').slice(0, keptLineLength);
  for (const line of parts) log.lines.push(line.replace(/\r$/, '').slice(0, keptLineLength));
  if (log.lines.length > keptLines) log.lines.splice(0, log.lines.length - keptLines);
}

export interface BuildRecord {
  note(event: ProgressEvent): void;
  readonly failedSteps: readonly FailedStep[];
  logTail(vertex: string): readonly string[];
}

export function buildRecord(): BuildRecord {
  const logs = new Map<string, StepLog>();
  const failedSteps: FailedStep[] = [];
  return {
    failedSteps,
    note(event) {
      if (event.kind === 'vertex-failed') failedSteps.push({ vertex: event.vertex, name: event.name });
      if (event.kind !== 'log') return;
      const log = logs.get(event.vertex) ?? { lines: [], decoder: new StringDecoder('utf8'), rest: '' };
      logs.set(event.vertex, log);
      append(log, event.data);
    },
    logTail(vertex) {
      const log = logs.get(vertex);
      if (log === undefined) return [];
      return log.rest === '' ? [...log.lines] : [...log.lines, log.rest].slice(-keptLines);
    },
  };
}
