import { describe, expect, it } from 'vitest';
import { DeadlineExceeded } from '../process/deadline.ts';
import { BuildError, type BuildProblem } from './buildkit/errors.ts';
import { BuildFailed } from './failure.ts';
import { BuildCancelled, outcomeOf, type FailureFacts } from './outcome.ts';

const facts: FailureFacts = {
  logTail: ['last line'],
  mask: (text) => text.replaceAll('s3cret', '***'),
  memory: 'fine',
  memoryBytes: 64 * 1024 ** 2,
  timeoutMs: 600_000,
};
const step = { vertex: 'sha256:1', name: '[2/3] RUN make' };
const source = { file: 'docker/Dockerfile', lines: { start: 4, end: 6 } };
const stepFailed: BuildProblem = {
  kind: 'step-failed',
  message: 'exit code: 2',
  step,
  source,
  exitCode: 2,
  logTail: [],
};

describe('the outcome of a build', () => {
  it.each<[BuildProblem, string]>([
    [stepFailed, 'step_failed'],
    [{ kind: 'dockerfile-invalid', message: 'unknown instruction', source }, 'dockerfile_invalid'],
    [{ kind: 'dockerfile-missing', path: 'Dockerfile' }, 'dockerfile_missing'],
    [{ kind: 'base-image-unavailable', message: 'not found', source: null }, 'base_image_unavailable'],
    [{ kind: 'context-invalid', message: 'gone' }, 'context_invalid'],
    [{ kind: 'registry-auth-refused', host: 'r', status: 401 }, 'registry_refused'],
    [{ kind: 'registry-refused', host: 'r', status: 507 }, 'registry_failed'],
    [{ kind: 'push-failed', host: 'r', message: 'blob upload unknown' }, 'registry_failed'],
    [{ kind: 'registry-unreachable', host: 'r', reason: 'ECONNREFUSED' }, 'registry_unreachable'],
    [{ kind: 'no-space', message: 'no space left on device' }, 'disk_full'],
    [{ kind: 'daemon-unavailable', address: 'unix:///x', reason: 'gone' }, 'builder_unavailable'],
    [{ kind: 'export-failed', message: 'why' }, 'internal'],
  ])('of %o is %s', (problem, code) => {
    const error = new BuildError(problem);
    expect(outcomeOf(error, undefined, facts)).toMatchObject({ kind: 'failed', code, message: error.message });
  });

  it('annotates the lines of the Dockerfile', () => {
    expect(outcomeOf(new BuildError(stepFailed), undefined, facts)).toMatchObject({
      annotations: [{ path: 'docker/Dockerfile', line: 4, endLine: 6 }],
      logTail: ['last line'],
    });
  });

  it.each([
    ['killed', 1, 'out_of_memory'],
    ['short', 137, 'out_of_memory'],
    ['short', 1, 'step_failed'],
    ['fine', 137, 'step_failed'],
  ] as const)('says what the kernel says of memory: %s and exit code %i are %s', (memory, exitCode, code) => {
    const outcome = outcomeOf(new BuildError({ ...stepFailed, exitCode }), undefined, { ...facts, memory });
    expect(outcome).toMatchObject({ code, annotations: [{ line: 4 }] });
    if (code !== 'out_of_memory') return;
    expect(outcome).toHaveProperty('message', expect.stringContaining('more than its 64 MiB of memory'));
  });

  it('is decided by why it was ended, whatever broke then', () => {
    const broke = new BuildError({ kind: 'cancelled', reason: 'aborted' });
    expect(outcomeOf(broke, new BuildCancelled('superseded'), facts)).toEqual({
      kind: 'cancelled',
      code: 'superseded',
    });
    expect(outcomeOf(broke, new DeadlineExceeded('The build', 600_000), facts)).toMatchObject({
      code: 'timed_out',
      message: 'The build took longer than 10 minutes and was stopped.',
    });
  });

  it('keeps the code of the agent’s own failures, and masks what they say', () => {
    const failed = new BuildFailed('source_unavailable', 'fetch with s3cret failed');
    expect(outcomeOf(failed, undefined, facts)).toMatchObject({
      code: 'source_unavailable',
      message: 'fetch with *** failed',
    });
    expect(outcomeOf(new TypeError('bug with s3cret'), undefined, facts)).toMatchObject({
      code: 'internal',
      message: 'bug with ***',
    });
  });
});
