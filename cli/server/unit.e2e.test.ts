import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { renderServerUnit } from './unit.ts';

it.runIf(existsSync('/usr/bin/systemd-analyze'))('the unit of the server is what systemd understands', () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'landfall-')), 'landfall.service');
  writeFileSync(file, renderServerUnit({ node: process.execPath, script: process.execPath, parts: ['api'] }));
  expect(() => execFileSync('/usr/bin/systemd-analyze', ['verify', file], { stdio: 'pipe' })).not.toThrow();
});
