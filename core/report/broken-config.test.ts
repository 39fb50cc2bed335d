import { describe, expect, it } from 'vitest';
import Value from 'typebox/value';
import { parseProjectConfig } from '../spec/parse.ts';
import { brokenConfigWrites, brokenReason, type BrokenConfig } from './broken-config.ts';
import { CreateCheckRun } from './writes.ts';

const now = new Date('2030-01-01T00:00:00Z');

function writesFor(text: string, of: BrokenConfig['of'] = { kind: 'commit' }) {
  const parsed = parseProjectConfig(text, 'landfall.yml');
  const issues = parsed.ok ? [] : parsed.issues;
  return brokenConfigWrites({ repositoryId: 42, sha: 'a'.repeat(40), code: 'config_invalid', of, issues }, now);
}

describe('brokenConfigWrites', () => {
  it('is one failed check run with annotations at the lines', () => {
    const [write] = writesFor('services:\n  web:\n    prot: 80\n    replicas: x\n');
    expect(Value.Check(CreateCheckRun, write?.payload)).toBe(true);
    expect(write?.payload).toMatchObject({
      repositoryId: 42,
      intentId: null,
      body: {
        name: 'Landfall',
        status: 'completed',
        conclusion: 'failure',
        output: {
          title: 'landfall.yml cannot be understood: 2 issues',
          annotations: [
            { path: 'landfall.yml', start_line: 3, end_line: 3, annotation_level: 'failure' },
            { path: 'landfall.yml', start_line: 4, end_line: 4 },
          ],
        },
      },
    });
  });

  it('says what is missing when there is no file, and annotates none', () => {
    const commit = { repositoryId: 42, sha: 'a'.repeat(40), of: { kind: 'commit' } } as const;
    const nothing: BrokenConfig = { ...commit, code: 'nothing_to_deploy', issues: [] };
    const [write] = brokenConfigWrites(nothing, now);
    expect(Value.Check(CreateCheckRun, write?.payload)).toBe(true);
    expect(write?.payload).toMatchObject({
      body: {
        conclusion: 'failure',
        output: {
          title: 'There is neither a landfall.yml nor a Dockerfile',
          summary: expect.stringMatching(/^Nothing is deployed .* Add a Dockerfile .*\.$/) as string,
          annotations: [],
        },
      },
    });
    expect(brokenReason(nothing)).toBe(
      'There is neither a landfall.yml nor a Dockerfile. Add a Dockerfile at the root of the repository, or a landfall.yml.',
    );
  });

  it('is told again when something else is wrong with the same commit', () => {
    const commit = { repositoryId: 42, sha: 'a'.repeat(40), of: { kind: 'commit' }, issues: [] } as const;
    const keys = (['server_ended', 'nothing_to_deploy'] as const).map(
      (code) => brokenConfigWrites({ ...commit, code }, now)[0]?.key,
    );
    expect(new Set(keys).size).toBe(2);
  });

  it('names the file that is broken', () => {
    const issue = { path: 'apps/web/Dockerfile', line: 1, endLine: 1, message: 'It is too large.' };
    const commit = { repositoryId: 42, sha: 'a'.repeat(40), of: { kind: 'commit' } } as const;
    const broken: BrokenConfig = { ...commit, code: 'dockerfile_invalid', issues: [issue] };
    expect(brokenConfigWrites(broken, now)[0]?.payload).toMatchObject({
      body: {
        output: {
          title: 'apps/web/Dockerfile cannot be understood: 1 issue',
          annotations: [{ path: 'apps/web/Dockerfile', start_line: 1 }],
        },
      },
    });
    expect(brokenReason(broken)).toBe('apps/web/Dockerfile cannot be understood: It is too large.');
  });

  it('names the branch whose file is broken, and annotates nothing in the file of another commit', () => {
    const rules = { kind: 'rules', branch: 'main', sha: `abc1234${'0'.repeat(33)}` } as const;
    const [write] = writesFor('services:\n  web:\n    prot: 80\n', rules);
    expect(Value.Check(CreateCheckRun, write?.payload)).toBe(true);
    expect(write?.payload).toMatchObject({
      body: {
        head_sha: 'a'.repeat(40),
        output: {
          title: 'landfall.yml on main (abc1234) cannot be understood: 1 issue',
          summary: expect.stringMatching(
            /not in this commit.*landfall.yml on main \\\(abc1234\\\).*- line 3: /s,
          ) as string,
          annotations: [],
        },
      },
    });
  });

  it('tells a file of the commit from one with the same issues on the default branch', () => {
    const ofRules = writesFor('a: 1', { kind: 'rules', branch: 'main', sha: 'b'.repeat(40) });
    expect(ofRules[0]?.key).not.toBe(writesFor('a: 1')[0]?.key);
  });

  it('is owed once for the same commit and issues', () => {
    const [one, again, other] = ['a: 1', 'a: 1', 'b: 1'].map((text) => writesFor(text)[0]?.key);
    expect(again).toBe(one);
    expect(other).not.toBe(one);
  });

  it('stays within what GitHub takes', () => {
    const many = Array.from({ length: 90 }, (_, index) => `k${index}${'<b>|`'.repeat(300)}: 1`).join('\n');
    const [write] = writesFor(many);
    expect(Value.Check(CreateCheckRun, write?.payload)).toBe(true);
  });
});
