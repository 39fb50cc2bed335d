import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { testFolder } from '../../test/folder.ts';
import { part } from '../../test/parts.ts';
import { renderServerUnit } from './unit.ts';

it('the unit of the server is what systemd understands', async () => {
  const analyze = await part('systemd-analyze');
  const file = path.join(testFolder(), 'landfall.service');
  writeFileSync(file, renderServerUnit({ node: process.execPath, script: process.execPath, parts: ['api'] }));
  expect(() => execFileSync(analyze, ['verify', file], { stdio: 'pipe' })).not.toThrow();
});
