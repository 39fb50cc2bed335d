/** Turns the daemon's status messages, which repeat themselves, into events that each say one new thing. */
import { timestampDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import type { StatusResponse, Vertex, VertexStatus, VertexWarning } from './gen/control_pb.ts';

export type LogStream = 'stdout' | 'stderr';

/** Lines of a Dockerfile, counted from 1, both included. */
export interface LineRange {
  readonly start: number;
  readonly end: number;
}

/** A vertex is a step of the build, known by its digest. It may start and complete more than once: looking for a cached result comes first. */
export type ProgressEvent =
  | { readonly kind: 'vertex-started'; readonly vertex: string; readonly name: string; readonly at: Date }
  | { readonly kind: 'vertex-completed'; readonly vertex: string; readonly name: string; readonly at: Date }
  | { readonly kind: 'vertex-cached'; readonly vertex: string; readonly name: string; readonly at: Date }
  | {
      readonly kind: 'vertex-failed';
      readonly vertex: string;
      readonly name: string;
      readonly error: string;
      readonly at: Date;
    }
  | {
      readonly kind: 'log';
      readonly vertex: string;
      readonly stream: LogStream;
      readonly data: Uint8Array;
      readonly at: Date;
    }
  | {
      /** Progress of one thing within a step: bytes of a layer pushed, of a context sent. `total` 0 is unknown. */
      readonly kind: 'status';
      readonly vertex: string;
      readonly id: string;
      readonly name: string;
      readonly current: number;
      readonly total: number;
      readonly completed: boolean;
    }
  | {
      readonly kind: 'warning';
      readonly vertex: string;
      readonly message: string;
      readonly detail: string;
      readonly url: string;
      readonly file: string | null;
      readonly lines: LineRange | null;
    };

type Phase = 'started' | 'ended';

export interface ProgressReader {
  read(message: StatusResponse): ProgressEvent[];
}

function dateOf(timestamp: Timestamp | undefined): Date {
  return timestamp === undefined ? new Date(0) : timestampDate(timestamp);
}

/** The lines that all ranges span together; a range without an end is one line. */
export function spannedLines(
  ranges: readonly {
    readonly start?: { readonly line: number } | undefined;
    readonly end?: { readonly line: number } | undefined;
  }[],
): LineRange | null {
  const starts = ranges.map((range) => range.start?.line ?? 0).filter((line) => line > 0);
  if (starts.length === 0) return null;
  const ends = ranges.map((range) => Math.max(range.end?.line ?? 0, range.start?.line ?? 0));
  return { start: Math.min(...starts), end: Math.max(...ends) };
}

function ending(vertex: Vertex): ProgressEvent {
  const base = { vertex: vertex.digest, name: vertex.name, at: dateOf(vertex.completed) };
  if (vertex.error !== '') return { kind: 'vertex-failed', ...base, error: vertex.error };
  return { kind: vertex.cached ? 'vertex-cached' : 'vertex-completed', ...base };
}

function vertexEvents(vertex: Vertex, phases: Map<string, Phase>): ProgressEvent[] {
  const events: ProgressEvent[] = [];
  const phase = phases.get(vertex.digest);
  const again = phase === 'ended' && vertex.started !== undefined && vertex.completed === undefined;
  if (again || (phase === undefined && vertex.started !== undefined)) {
    phases.set(vertex.digest, 'started');
    events.push({ kind: 'vertex-started', vertex: vertex.digest, name: vertex.name, at: dateOf(vertex.started) });
  }
  if (vertex.completed !== undefined && phase !== 'ended') {
    phases.set(vertex.digest, 'ended');
    events.push(ending(vertex));
  }
  return events;
}

function statusEvent(status: VertexStatus): ProgressEvent {
  return {
    kind: 'status',
    vertex: status.vertex,
    id: status.id,
    name: status.name,
    current: Number(status.current),
    total: Number(status.total),
    completed: status.completed !== undefined,
  };
}

function warningEvent(warning: VertexWarning): ProgressEvent {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
  return {
    kind: 'warning',
    vertex: warning.vertex,
    message: text(warning.short),
    detail: warning.detail.map(text).join('\n'),
    url: warning.url,
    file: warning.info?.filename ?? null,
    lines: spannedLines(warning.ranges),
  };
}

export function progressReader(): ProgressReader {
  const phases = new Map<string, Phase>();
  return {
    read(message) {
      const logs = message.logs.map((log): ProgressEvent => ({
        kind: 'log',
        vertex: log.vertex,
        stream: log.stream === 2n ? 'stderr' : 'stdout',
        data: log.msg,
        at: dateOf(log.timestamp),
      }));
      const started = message.vertexes.flatMap((vertex) => vertexEvents(vertex, phases));
      // A message can hold the last lines of a step together with its end; the lines come first.
      const isEnd = (event: ProgressEvent): boolean => event.kind !== 'vertex-started';
      return [
        ...started.filter((event) => !isEnd(event)),
        ...message.statuses.map(statusEvent),
        ...logs,
        ...message.warnings.map(warningEvent),
        ...started.filter(isEnd),
      ];
    },
  };
}
