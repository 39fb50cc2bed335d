import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProjectConfig } from '../spec/config.ts';
import { decidePush, ignoredPush, type PushFacts } from './push.ts';

const [b, zero] = ['b', '0'].map((digit) => digit.repeat(40)) as [string, string];

const facts: PushFacts = {
  ref: 'refs/heads/main',
  after: b,
  repository: { defaultBranch: 'main', archived: false, removed: false },
  installation: { suspended: false, removed: false },
};

const environment = (branch: string | null, url: string | null = null) => ({ branch, url, env: {}, services: {} });
const rules: ProjectConfig = {
  services: {},
  environments: {
    staging: environment('next'),
    production: environment(null, 'https://x.y'),
    mirror: environment('main'),
  },
};

describe('decidePush', () => {
  it('deploys to every environment of the branch, by its exact name', () => {
    expect(decidePush(facts, rules)).toEqual({
      kind: 'deploy',
      branch: 'main',
      sha: b,
      intents: [
        { environment: 'mirror', url: null },
        { environment: 'production', url: 'https://x.y' },
      ],
    });
    for (const ref of ['refs/heads/mai', 'refs/heads/main-2', 'refs/heads/Main', 'refs/heads/x/main']) {
      expect(decidePush({ ...facts, ref }, rules)).toMatchObject({ kind: 'ignored', code: 'branch_not_deployed' });
    }
  });

  it('says which branches are deployed when this one is not', () => {
    expect(decidePush({ ...facts, ref: 'refs/heads/other' }, rules)).toMatchObject({
      reason: 'No environment deploys the branch other; deployed are: main, next.',
    });
  });

  it('follows the default branch when it changes', () => {
    const repository = { ...facts.repository, defaultBranch: 'trunk' };
    const trunk = decidePush({ ...facts, ref: 'refs/heads/trunk', repository }, rules);
    expect(trunk).toMatchObject({ kind: 'deploy', intents: [{ environment: 'production' }] });
    expect(decidePush({ ...facts, repository }, rules)).toMatchObject({ intents: [{ environment: 'mirror' }] });
  });

  it.each([
    ['tag_push', { ref: 'refs/tags/v1' }],
    ['not_a_branch', { ref: 'refs/notes/commits' }],
    ['ref_deleted', { after: zero }],
    ['repository_archived', { repository: { defaultBranch: 'main', archived: true, removed: false } }],
    ['repository_removed', { repository: { defaultBranch: 'main', archived: false, removed: true } }],
    ['installation_suspended', { installation: { suspended: true, removed: false } }],
    ['installation_removed', { installation: { suspended: false, removed: true } }],
  ])('ignores with the code %s', (code, changed) => {
    expect(ignoredPush({ ...facts, ...changed })).toMatchObject({ kind: 'ignored', code });
    expect(decidePush({ ...facts, ...changed }, rules)).toMatchObject({ kind: 'ignored', code });
  });

  it('P17: does not depend on the order of environments', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(Object.entries(rules.environments), { minLength: 3 }), (entries) => {
        const permuted = { services: {}, environments: Object.fromEntries(entries) };
        expect(decidePush(facts, permuted)).toEqual(decidePush(facts, rules));
      }),
    );
  });
});
