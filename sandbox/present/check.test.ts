import { expect, it } from 'vitest';
import type { CheckRun } from '../state/model.ts';
import { suiteState } from './check.ts';

function run(status: CheckRun['status'], conclusion: CheckRun['conclusion'] = null): CheckRun {
  return {
    id: 1,
    repositoryId: 1,
    suiteId: 1,
    name: 'build',
    headSha: '',
    externalId: '',
    detailsUrl: null,
    status,
    conclusion,
    startedAt: 0,
    completedAt: null,
    output: { title: null, summary: null, text: null },
    annotations: [],
    actions: [],
  };
}

it.each([
  [[], 'queued', null],
  [[run('queued'), run('queued')], 'queued', null],
  [[run('completed', 'success'), run('queued')], 'in_progress', null],
  [[run('completed', 'success'), run('completed', 'skipped')], 'completed', 'success'],
  [[run('completed', 'success'), run('completed', 'failure')], 'completed', 'failure'],
  [[run('completed', 'failure'), run('completed', 'timed_out')], 'completed', 'timed_out'],
] as const)('a suite of %# is as far as its slowest run and as bad as its worst', (runs, status, conclusion) => {
  expect(suiteState(runs)).toEqual({ status, conclusion });
});
