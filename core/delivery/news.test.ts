import { describe, expect, it } from 'vitest';
import { waitForGithub } from './lag.ts';
import { exclusionNews, inclusionNews, installationNews, type KnownRepository } from './news.ts';

const installation = {
  account: { id: 1, login: 'acme', type: 'Organization' },
  permissions: { contents: 'read', checks: 'write' },
  suspended: false,
};

describe('installationNews', () => {
  it.each([
    ['first', 'nothing is known', installation, null],
    ['known', 'it is so already', { ...installation, permissions: { checks: 'write', contents: 'read' } }, {}],
    ['ask_github', 'it is told to be suspended', { ...installation, suspended: true }, {}],
    ['ask_github', 'it is told not to be', installation, { suspended: true }],
    ['ask_github', 'permissions differ', { ...installation, permissions: {} }, {}],
    ['ask_github', 'its account has another name', installation, { account: { ...installation.account, login: 'a' } }],
    ['known', 'it was removed', { ...installation, suspended: true }, { removed: true }],
  ] as const)('is %s when %s', (news, _why, told, known) => {
    expect(installationNews(told, known === null ? null : { ...installation, removed: false, ...known })).toBe(news);
  });
});

const told = { installationId: 5, owner: 'acme', name: 'shop', private: true, defaultBranch: 'main' };
const known: KnownRepository = { ...told, removed: false, installationRemoved: false };

describe('inclusionNews', () => {
  it.each<[string, string, Partial<typeof told> | { defaultBranch: null }, Partial<KnownRepository> | null]>([
    ['first', 'nothing is known', {}, null],
    ['known', 'it is so already', {}, {}],
    ['known', 'the default branch is not told', { defaultBranch: null }, { defaultBranch: 'trunk' }],
    ['ask_github', 'it has another name', { name: 'boutique' }, {}],
    ['ask_github', 'it has another owner', { owner: 'globex' }, {}],
    ['ask_github', 'it has another default branch', { defaultBranch: 'trunk' }, {}],
    ['ask_github', 'it is public now', { private: false }, {}],
    ['ask_github', 'another installation tells of it', { installationId: 6 }, {}],
    ['ask_github', 'it was removed', {}, { removed: true }],
    ['known', 'its installation was removed', {}, { removed: true, installationRemoved: true }],
    ['ask_github', 'it comes back with another', { installationId: 6 }, { removed: true, installationRemoved: true }],
  ])('is %s when %s', (news, _why, changed, was) => {
    expect(inclusionNews({ ...told, ...changed }, was === null ? null : { ...known, ...was })).toBe(news);
  });
});

describe('exclusionNews', () => {
  it.each<[string, string, Partial<KnownRepository> | null]>([
    ['first', 'nothing is known', null],
    ['ask_github', 'it is known to be included', {}],
    ['known', 'it was removed', { removed: true }],
    ['known', 'another installation includes it', { installationId: 6 }],
  ])('is %s when %s', (news, _why, was) => {
    expect(exclusionNews({ installationId: 5 }, was === null ? null : { ...known, ...was })).toBe(news);
  });
});

describe('waitForGithub', () => {
  it('doubts an answer for ten seconds, and no longer', () => {
    expect(waitForGithub(9_999)).toMatchObject({ kind: 'wait', code: 'github_behind' });
    expect(waitForGithub(10_000)).toBeNull();
  });
});
