import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rolloutStages, type RolloutStage } from '../rollout/stage.ts';
import { intentOutcome, type BuildStatus } from './outcome.ts';

const build = (status: BuildStatus, service = 'web') => ({ service, status, reasonCode: null, reason: null });
const rollout = (stage: RolloutStage, service = 'web', reasonCode: string | null = null) => ({
  service,
  stage,
  reasonCode,
  reason: null,
});

describe('intentOutcome', () => {
  it('releases when every build has succeeded, and not before', () => {
    expect(intentOutcome({ builds: [build('succeeded'), build('building', 'b')], rollouts: [] })).toEqual({
      kind: 'building',
    });
    expect(intentOutcome({ builds: [build('succeeded'), build('succeeded', 'b')], rollouts: [] })).toEqual({
      kind: 'release',
    });
  });

  it('ends with the first build that failed', () => {
    const failed = { ...build('failed'), reasonCode: 'step_failed', reason: 'RUN make: exit 2' };
    expect(intentOutcome({ builds: [build('building', 'a'), failed], rollouts: [] })).toEqual({
      kind: 'failed',
      code: 'step_failed',
      reason: 'web: RUN make: exit 2',
    });
  });

  it('P11: has succeeded only when every rollout runs', () => {
    const stages = fc.array(fc.constantFrom(...rolloutStages), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(stages, (given) => {
        const rollouts = given.map((stage, index) => rollout(stage, `s${index}`, 'superseded'));
        const { kind } = intentOutcome({ builds: [build('succeeded')], rollouts });
        expect(kind === 'succeeded').toBe(given.every((stage) => stage === 'running'));
      }),
    );
  });

  it('waits for the others before a failed rollout ends it', () => {
    const builds = [build('succeeded')];
    const failed = rollout('rolled_back', 'a', 'crash_loop');
    expect(intentOutcome({ builds, rollouts: [failed, rollout('starting', 'b')] })).toEqual({ kind: 'rolling_out' });
    expect(intentOutcome({ builds, rollouts: [failed, rollout('running', 'b')] })).toMatchObject({
      kind: 'failed',
      code: 'crash_loop',
    });
  });

  it('is superseded by a newer push, and unharmed by a service that was taken out', () => {
    const builds = [build('succeeded')];
    const newer = rollout('stopped', 'a', 'superseded');
    expect(intentOutcome({ builds, rollouts: [newer, rollout('running', 'b')] })).toMatchObject({ kind: 'superseded' });
    const removed = rollout('stopped', 'a', 'service_removed');
    expect(intentOutcome({ builds, rollouts: [removed, rollout('running', 'b')] })).toEqual({ kind: 'succeeded' });
    expect(intentOutcome({ builds, rollouts: [removed] })).toMatchObject({
      kind: 'cancelled',
      code: 'service_removed',
    });
  });
});
