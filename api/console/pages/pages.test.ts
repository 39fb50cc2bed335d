import { describe, expect, it } from 'vitest';
import type { RolloutDetail, RolloutStage } from '../../../core/contract/resources/rollouts.ts';
import { logLines } from './log.ts';
import { bytes, duration, externalUrl, refName } from './parts.ts';
import { stepsOf } from './rollout.ts';

const at = (seconds: number) => new Date(Date.UTC(2030, 0, 1) + seconds * 1000).toISOString();

function rollout(stage: RolloutStage, entered: [RolloutStage, number][], finished: number | null): RolloutDetail {
  return {
    ...{ id: 'r', serviceId: 's', serviceName: 'web', environment: 'production', intentId: null, generation: 1 },
    ...{ stage, stageSince: at(0), reasonCode: null, reason: null, createdAt: at(0) },
    release: { id: 'x', number: 1, sha: 'a', image: 'i', createdAt: at(0) },
    finishedAt: finished === null ? null : at(finished),
    timeline: entered.map(([toStage, seconds]) => ({
      ...{ at: at(seconds), fromStage: null, toStage, reasonCode: 'placed', message: 'm' },
    })),
    allocations: [],
  };
}

const states = (detail: RolloutDetail) => stepsOf(detail).map(({ stage, state, took }) => [stage, state, took]);

describe('the stages of a rollout', () => {
  it('show how long each took and which one is under way', () => {
    const steps = states(rollout('starting', [['pulling', 1], ['starting', 4]], null)); // prettier-ignore
    expect(steps.slice(0, 4)).toEqual([
      ['pending', 'done', '1.0 s'],
      ['pulling', 'done', '3.0 s'],
      ['starting', 'now', null],
      ['healthy', 'ahead', null],
    ]);
  });

  it('show where it broke', () => {
    const steps = states(rollout('failed', [['pulling', 1], ['failed', 9]], 9)); // prettier-ignore
    expect(steps.slice(0, 3)).toEqual([
      ['pending', 'done', '1.0 s'],
      ['pulling', 'broken', '8.0 s'],
      ['starting', 'ahead', null],
    ]);
  });

  it('are all done when it runs, also those it passed without a stop', () => {
    const steps = states(rollout('running', [['pulling', 1], ['starting', 2], ['running', 3]], 3)); // prettier-ignore
    expect(steps.at(-1)).toEqual(['running', 'done', null]);
    expect(steps[2]).toEqual(['starting', 'done', '1.0 s']);
  });
});

describe('parts', () => {
  it('write durations, sizes and refs as people do', () => {
    expect([840, 12_400, 185_000, 7_800_000].map(duration)).toEqual(['840 ms', '12.4 s', '3 min 5 s', '2 h 10 min']);
    expect([0, 512, 1_536, 8 * 1024 ** 3].map(bytes)).toEqual(['0 B', '512 B', '1.5 KB', '8.0 GB']);
    expect(['refs/heads/a/b', 'refs/tags/v1'].map(refName)).toEqual(['a/b', 'v1']);
  });

  it('P71: link to http and https alone', () => {
    expect(externalUrl('javascript:alert(1)')).toBeNull();
    expect(externalUrl('https://a.example/?"><script>')?.text).not.toContain('<script>');
  });

  it('say how many lines are missing between two', () => {
    const line = (offset: number) => ({ offset, text: String(offset), error: false });
    expect(logLines([line(3), line(7)], 3).text).toMatch(/>3<.*3 lines are left out.*>7</s);
    expect(logLines([line(3), line(4)], 3).text).not.toContain('dropped');
  });
});
