/** Reads what BuildKit attaches to a failed call: where in the Dockerfile it happened, in which step, with which exit code. */
import { fromBinary } from '@bufbuild/protobuf';
import { field } from '../../../platform/errors/field.ts';
import { StatusSchema } from './gen/status_pb.ts';
import type { GrpcError } from './grpc-status.ts';
import { spannedLines, type LineRange } from './progress.ts';

export interface SourceLines {
  readonly file: string;
  readonly lines: LineRange | null;
}

export interface ErrorDetails {
  /** Set when the frontend refused, before any step ran. */
  readonly frontend: string | null;
  /** The innermost place in the Dockerfile. */
  readonly source: SourceLines | null;
  /** Digest of the step that failed. */
  readonly vertex: string | null;
  readonly exitCode: number | null;
  /** What the failed step was to fetch: `docker-image://…`, `local://…`. */
  readonly fetched: string | null;
}

/** The daemon writes its details as JSON under a type name of its own. */
const typePrefix = 'github.com/moby/buildkit/';

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function whole(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) ? value : 0;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    // A detail that cannot be read says nothing; the error itself is still whole.
    return undefined;
  }
}

function sourceLines(detail: unknown): SourceLines | null {
  const file = text(field(field(detail, 'info'), 'filename'));
  if (file === null) return null;
  const ranges = field(detail, 'ranges');
  const lines = (Array.isArray(ranges) ? ranges : []).map((range: unknown) => ({
    start: { line: whole(field(field(range, 'start'), 'line')) },
    end: { line: whole(field(field(range, 'end'), 'line')) },
  }));
  return { file, lines: spannedLines(lines) };
}

interface Detail {
  readonly type: string;
  readonly value: unknown;
}

function detailsOf(error: GrpcError): readonly Detail[] {
  if (error.details === null) return [];
  return fromBinary(StatusSchema, error.details)
    .details.filter((detail) => detail.typeUrl.startsWith(typePrefix))
    .map((detail) => ({ type: detail.typeUrl.slice(typePrefix.length), value: parseJson(detail.value) }));
}

/** Details come from the outermost wrapper to the innermost; the last of a kind is the nearest to the cause. */
export function readErrorDetails(error: GrpcError): ErrorDetails {
  const details = detailsOf(error);
  const valuesOf = (type: string): unknown[] => details.filter((one) => one.type === type).map((one) => one.value);
  const exit = valuesOf('gatewayapi.ExitMessage+json').at(-1);
  const sources = valuesOf('errdefs.Source+json')
    .map(sourceLines)
    .filter((source) => source !== null);
  const solve = valuesOf('errdefs.Solve+json').at(-1);
  return {
    frontend: text(field(valuesOf('errdefs.Frontend+json').at(-1), 'name')),
    source: sources.at(-1) ?? null,
    vertex: text(field(valuesOf('errdefs.Vertex+json').at(-1), 'digest')),
    exitCode: exit === undefined ? null : whole(field(exit, 'Code')),
    fetched: text(field(field(field(solve, 'op'), 'source'), 'identifier')),
  };
}
