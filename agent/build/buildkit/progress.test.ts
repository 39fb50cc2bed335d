import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { StatusResponseSchema } from './gen/control_pb.ts';
import { progressReader, spannedLines, type ProgressEvent } from './progress.ts';

function read(...messages: MessageInitShape<typeof StatusResponseSchema>[]): ProgressEvent[] {
  const reader = progressReader();
  return messages.flatMap((message) => reader.read(create(StatusResponseSchema, message)));
}

const started = timestampFromMs(1000);
const completed = timestampFromMs(2000);
const step = { digest: 'sha256:1', name: '[1/2] RUN x' };

describe('progress', () => {
  it('says once what the daemon repeats', () => {
    const events = read(
      { vertexes: [step] },
      { vertexes: [{ ...step, started }] },
      { vertexes: [{ ...step, started }] },
      { vertexes: [{ ...step, started, completed }] },
      { vertexes: [{ ...step, started, completed }] },
    );
    expect(events).toEqual([
      { kind: 'vertex-started', vertex: 'sha256:1', name: '[1/2] RUN x', at: new Date(1000) },
      { kind: 'vertex-completed', vertex: 'sha256:1', name: '[1/2] RUN x', at: new Date(2000) },
    ]);
  });

  it('tells cached, failed and repeated steps apart', () => {
    const kinds = (...messages: Parameters<typeof read>): string[] => read(...messages).map(({ kind }) => kind);
    expect(kinds({ vertexes: [{ ...step, started, completed, cached: true }] })).toEqual([
      'vertex-started',
      'vertex-cached',
    ]);
    expect(kinds({ vertexes: [{ ...step, started, completed, error: 'no' }] })).toEqual([
      'vertex-started',
      'vertex-failed',
    ]);
    expect(
      kinds(
        { vertexes: [{ ...step, started, completed }] },
        { vertexes: [{ ...step, started }] },
        {
          vertexes: [{ ...step, started, completed }],
        },
      ),
    ).toEqual(['vertex-started', 'vertex-completed', 'vertex-started', 'vertex-completed']);
  });

  it('puts the lines of a step before its end', () => {
    const log = { vertex: step.digest, stream: 2n, msg: Buffer.from('oh\n'), timestamp: started };
    const events = read({ vertexes: [{ ...step, started, completed }], logs: [log] });
    expect(events.map(({ kind }) => kind)).toEqual(['vertex-started', 'log', 'vertex-completed']);
    expect(events[1]).toMatchObject({ stream: 'stderr', at: new Date(1000) });
  });

  it('hands on the progress of transfers, and warnings with their lines', () => {
    const events = read({
      statuses: [{ id: 'layer', vertex: step.digest, name: 'pushing', current: 5n, total: 10n }],
      warnings: [
        {
          vertex: step.digest,
          short: Buffer.from('short'),
          detail: [Buffer.from('one'), Buffer.from('two')],
          url: 'https://example.test',
          info: { filename: 'Dockerfile' },
          ranges: [{ start: { line: 2 }, end: { line: 3 } }],
        },
      ],
    });
    expect(events).toEqual([
      { kind: 'status', vertex: 'sha256:1', id: 'layer', name: 'pushing', current: 5, total: 10, completed: false },
      {
        kind: 'warning',
        vertex: 'sha256:1',
        message: 'short',
        detail: 'one\ntwo',
        url: 'https://example.test',
        file: 'Dockerfile',
        lines: { start: 2, end: 3 },
      },
    ]);
  });
});

it('spans the lines of several ranges', () => {
  expect(spannedLines([])).toBeNull();
  expect(spannedLines([{ start: { line: 4 } }, { start: { line: 2 }, end: { line: 3 } }])).toEqual({
    start: 2,
    end: 4,
  });
  expect(spannedLines([{ start: { line: 4 }, end: { line: 0 } }])).toEqual({ start: 4, end: 4 });
});
