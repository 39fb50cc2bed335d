import { describe, expect, it } from 'vitest';
import { replacementOf, type EndedRollout, type ServingService } from './replace.ts';

const start = new Date('2030-01-01T00:00:00Z');
const at = (ms: number) => new Date(start.getTime() + ms);

const first: EndedRollout = { releaseId: 'v1', previousReleaseId: null, stage: 'running', finishedAt: start };
const failedAgain = (ms: number): EndedRollout => ({
  ...{ releaseId: 'v1', previousReleaseId: 'v1', stage: 'failed', finishedAt: at(ms) },
});
const here = { replica: 0, stands: true, detail: null };
const gone = { replica: 1, stands: false, detail: 'The node one was removed.' };
const service: ServingService = { replicas: 2, allocations: [here, gone], rollouts: [first] };

describe('replacementOf', () => {
  it('rolls out anew when a replica is lost, and says which and why', () => {
    expect(replacementOf(service, start)).toEqual({
      kind: 'roll_out',
      code: 'replicas_lost',
      message: 'Replica 1 was lost: The node one was removed.',
    });
    expect(replacementOf({ ...service, allocations: [] }, start)).toMatchObject({
      message: 'Replica 0 was lost. Replica 1 was lost.',
    });
  });

  it('does nothing when all stand, though some stood elsewhere before', () => {
    const moved = [{ ...gone, stands: true }, here, gone];
    expect(replacementOf({ ...service, allocations: moved }, start)).toEqual({ kind: 'none' });
    expect(replacementOf({ ...service, replicas: 1 }, start)).toEqual({ kind: 'none' });
  });

  it('leaves a rollout under way alone', () => {
    const rollouts = [{ ...first, stage: 'pulling' as const, finishedAt: null }, first];
    expect(replacementOf({ ...service, rollouts }, start)).toEqual({ kind: 'none' });
  });

  it('goes on at once after a release that was rolled back', () => {
    const rollouts: EndedRollout[] = [
      { releaseId: 'v2', previousReleaseId: 'v1', stage: 'rolled_back', finishedAt: start },
      first,
    ];
    expect(replacementOf({ ...service, rollouts }, start).kind).toBe('roll_out');
  });

  it('waits longer after each failure to bring them back, up to an hour', () => {
    const once = { ...service, rollouts: [failedAgain(0), first] };
    expect(replacementOf(once, start)).toEqual({ kind: 'wait', until: at(60_000) });
    expect(replacementOf(once, at(60_000)).kind).toBe('roll_out');
    const thrice = { ...service, rollouts: [failedAgain(9), failedAgain(1), failedAgain(0), first] };
    expect(replacementOf(thrice, start)).toEqual({ kind: 'wait', until: at(240_009) });
    const often = { ...service, rollouts: Array.from({ length: 20 }, () => failedAgain(0)) };
    expect(replacementOf(often, start)).toEqual({ kind: 'wait', until: at(3_600_000) });
  });

  it('counts failures from the last time that it went well', () => {
    const rollouts = [failedAgain(5), { ...failedAgain(0), stage: 'running' as const }, failedAgain(-9)];
    expect(replacementOf({ ...service, rollouts }, at(5))).toEqual({ kind: 'wait', until: at(60_005) });
  });
});
