import { expect, it } from 'vitest';
import { complaintsAbout } from '../../test/systemd-analyze.ts';
import { renderUnit, type UnitOptions } from './unit.ts';

const unit: UnitOptions = {
  // systemd looks whether the program is there.
  node: process.execPath,
  script: '/usr/local/lib/landfall/agent.js',
  url: 'https://landfall.example.com',
  dataDir: '/var/lib/landfall',
  kind: 'worker',
  buildkitd: '/usr/local/lib/landfall/bin/buildkitd',
};

it('the unit of the agent is what systemd understands', async () => {
  expect(await complaintsAbout(renderUnit(unit))).toEqual([]);
});

it('the unit of the agent is what systemd understands, whatever stands in its words', async () => {
  const odd = { dataDir: `/srv/my data/100%/$HOME/"x"/\\y/'z\nw`, url: 'https://landfall.example.com/a%20b' };
  expect(await complaintsAbout(renderUnit({ ...unit, ...odd }))).toEqual([]);
});

it('systemd does not understand everything', async () => {
  expect(await complaintsAbout(renderUnit(unit).replace('KillMode=', 'Killmode='))).toHaveLength(1);
  expect(await complaintsAbout(renderUnit(unit).replace('Restart=always', 'Restart=alway'))).toHaveLength(1);
});
