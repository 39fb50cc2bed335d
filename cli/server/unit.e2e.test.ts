import { expect, it } from 'vitest';
import { complaintsAbout } from '../../test/systemd-analyze.ts';
import { renderServerUnit } from './unit.ts';

it('the unit of the server is what systemd understands', async () => {
  const unit = renderServerUnit({ node: process.execPath, script: process.execPath, parts: ['api'] });
  expect(await complaintsAbout(unit)).toEqual([]);
});
