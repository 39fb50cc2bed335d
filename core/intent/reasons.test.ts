import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ObservedContainer } from '../contract/status.ts';
import { BuildFailureCode } from '../contract/work.ts';
import { isReasonCode, reasons } from './reasons.ts';

const page = readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'reasons.md'), 'utf8');

describe('reasons', () => {
  it('stand in docs/reasons.md word for word, and nothing else does', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` *\| (.*?) *\| (.*?) *\|$/gm)];
    const documented = rows.map(([, code, means, todo]) => [code, { means, todo }]);
    expect(Object.fromEntries(documented)).toEqual(reasons);
    expect(documented).toHaveLength(Object.keys(reasons).length);
  });

  it.each(Object.entries(reasons))('%s is told in whole sentences', (_code, { means, todo }) => {
    expect(means).toMatch(/^[A-Zl].*\.$/);
    expect(todo).toMatch(/^[A-Z].*\.$/);
  });

  it('hold every code that agents report', () => {
    const builds = BuildFailureCode.anyOf.map((literal) => literal.const);
    const containers = ObservedContainer.properties.detailCode.anyOf.flatMap((type) =>
      'const' in type ? [type.const] : [],
    );
    expect([...builds, ...containers].filter((code) => !isReasonCode(code))).toEqual([]);
  });

  it('are told apart from what every object has', () => {
    expect(['constructor', 'toString', '__proto__', ''].filter(isReasonCode)).toEqual([]);
  });
});
