import { describe, expect, it } from 'vitest';
import Value from 'typebox/value';
import { parseProjectConfig } from '../spec/parse.ts';
import { brokenConfigWrites, type BrokenConfig } from './broken-config.ts';
import { CreateCheckRun } from './writes.ts';

const now = new Date('2030-01-01T00:00:00Z');

function writesFor(text: string, of: BrokenConfig['of'] = { kind: 'commit' }) {
  const parsed = parseProjectConfig(text, 'landfall.yml');
  const issues = parsed.ok ? [] : parsed.issues;
  return brokenConfigWrites({ repositoryId: 42, sha: 'a'.repeat(40), path: 'landfall.yml', of, issues }, now);
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
