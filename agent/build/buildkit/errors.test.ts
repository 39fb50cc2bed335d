import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { StatusSchema } from './gen/status_pb.ts';
import { BuildError, problemOf, type BuildProblem, type SolveFacts } from './errors.ts';
import { GrpcError, grpcStatus } from './grpc-status.ts';

const nothingSeen: SolveFacts = { address: 'unix:///run/bk.sock', failedSteps: [], logTail: () => [] };

function failure(code: number, message: string, details: Readonly<Record<string, unknown>> = {}): GrpcError {
  const status = create(StatusSchema, {
    code,
    message,
    details: Object.entries(details).map(([type, value]) => ({
      typeUrl: `github.com/moby/buildkit/${type}`,
      value: Buffer.from(JSON.stringify(value)),
    })),
  });
  return new GrpcError(code, message, { details: toBinary(StatusSchema, status) });
}

const vertex = { 'errdefs.Vertex+json': { digest: 'sha256:1' } };
const source = {
  'errdefs.Source+json': { info: { filename: 'Dockerfile' }, ranges: [{ start: { line: 3 }, end: { line: 4 } }] },
};
const lines = { file: 'Dockerfile', lines: { start: 3, end: 4 } };

describe('the problem of a failed build', () => {
  it('is the step, with its lines, exit code and last words', () => {
    const error = failure(2, 'process did not complete', {
      ...source,
      ...vertex,
      'gatewayapi.ExitMessage+json': { Code: 7 },
    });
    const facts: SolveFacts = {
      ...nothingSeen,
      failedSteps: [{ vertex: 'sha256:1', name: '[2/2] RUN false' }],
      logTail: (digest) => [`last of ${digest}`],
    };
    expect(problemOf(error, facts)).toEqual({
      kind: 'step-failed',
      message: 'process did not complete',
      step: { vertex: 'sha256:1', name: '[2/2] RUN false' },
      source: lines,
      exitCode: 7,
      logTail: ['last of sha256:1'],
    });
  });

  it.each<[string, GrpcError, Partial<SolveFacts>, Partial<BuildProblem>]>([
    [
      'a Dockerfile the frontend refuses',
      failure(2, 'unknown instruction', { ...source, 'errdefs.Frontend+json': { name: 'dockerfile.v0' } }),
      {},
      { kind: 'dockerfile-invalid', source: lines },
    ],
    [
      'a base image whose metadata cannot be read',
      failure(2, 'connection refused', { ...source, 'errdefs.Frontend+json': { name: 'dockerfile.v0' } }),
      { failedSteps: [{ vertex: 'sha256:2', name: '[internal] load metadata' }] },
      { kind: 'base-image-unavailable', source: lines },
    ],
    [
      'a base image whose layers cannot be fetched',
      failure(2, 'not found', {
        ...source,
        ...vertex,
        'errdefs.Solve+json': { op: { source: { identifier: 'docker-image://example.test/base:1' } } },
      }),
      {},
      { kind: 'base-image-unavailable' },
    ],
    ['a full disk', failure(grpcStatus.resourceExhausted, 'no space left', vertex), {}, { kind: 'no-space' }],
    [
      'a process that met a full disk of its own',
      failure(grpcStatus.resourceExhausted, 'x', { ...vertex, 'gatewayapi.ExitMessage+json': { Code: 1 } }),
      {},
      { kind: 'step-failed', exitCode: 1 },
    ],
    [
      'a daemon that is not there',
      new GrpcError(grpcStatus.unavailable, 'connect ENOENT'),
      {},
      { kind: 'daemon-unavailable', address: 'unix:///run/bk.sock', reason: 'connect ENOENT' },
    ],
    ['a daemon that stops', failure(grpcStatus.cancelled, 'context canceled'), {}, { kind: 'daemon-unavailable' }],
    ['a push that fails', failure(2, 'failed to push. '), {}, { kind: 'export-failed', message: 'failed to push' }],
  ])('is %s', (_, error, facts, expected) => {
    expect(problemOf(error, { ...nothingSeen, ...facts })).toMatchObject(expected);
  });

  it('survives details that cannot be read', () => {
    expect(
      problemOf(failure(2, 'x', { 'errdefs.Source+json': 'nonsense', 'errdefs.Vertex+json': null }), nothingSeen),
    ).toEqual({
      kind: 'export-failed',
      message: 'x',
    });
  });
});

it.each<[BuildProblem, string]>([
  [
    {
      kind: 'step-failed',
      message: 'm',
      step: { vertex: 'v', name: '[2/2] RUN x' },
      source: lines,
      exitCode: 7,
      logTail: [],
    },
    'The step [2/2] RUN x failed (Dockerfile:3): it exited with code 7.',
  ],
  [
    { kind: 'dockerfile-missing', path: 'a/Dockerfile' },
    'There is no Dockerfile at a/Dockerfile. Add one, or name another in landfall.yml.',
  ],
  [
    { kind: 'registry-auth-refused', host: 'r.test', status: 401 },
    'The registry r.test refuses the credentials (HTTP 401). Check the user and password given for it.',
  ],
  [{ kind: 'cancelled', reason: 'a newer push came' }, 'The build was cancelled: a newer push came.'],
])('says %j in a sentence', (problem, sentence) => {
  expect(new BuildError(problem).message).toBe(sentence);
});
