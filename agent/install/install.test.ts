import { describe, expect, it } from 'vitest';
import { renderInstallScript } from './script.ts';
import { renderUnit, type UnitOptions } from './unit.ts';

const unit: UnitOptions = {
  node: '/usr/bin/node',
  script: '/usr/local/lib/landfall/agent.js',
  url: 'https://landfall.example.com',
  dataDir: '/var/lib/landfall',
  kind: 'worker',
  buildkitd: '/usr/local/lib/landfall/bin/buildkitd',
};
const script = renderInstallScript({ url: unit.url, agentSha256: 'a'.repeat(64), buildkit: null });
const startOf = (options: Partial<UnitOptions>) => /^ExecStart=(.*)$/m.exec(renderUnit({ ...unit, ...options }))?.[1];

describe('the unit', () => {
  it('is this', async () => {
    await expect(renderUnit(unit)).toMatchFileSnapshot('golden/landfall-agent.service');
  });

  it('says what kind of node it is, and whether it builds', () => {
    expect(startOf({ kind: 'proxy', buildkitd: null })).toMatch(/ --proxy --no-build$/);
  });

  it('keeps every word one word for systemd', () => {
    expect(startOf({ dataDir: '/srv/my data/100%/$HOME/"x"' })).toContain(
      String.raw`--data "/srv/my data/100%%/$$HOME/\"x\""`,
    );
  });
});

describe('the install script', () => {
  it('is this', async () => {
    await expect(script).toMatchFileSnapshot('golden/install.sh');
  });

  it('P70: checks what it downloads against checksums that stand in it', () => {
    const download = (arch: string) => ({ url: `https://example.com/${arch}.tar.gz`, sha256: arch.at(0)!.repeat(64) });
    const buildkit = { amd64: download('bamd64'), arm64: download('carm64') };
    const withBuilds = renderInstallScript({ url: unit.url, agentSha256: 'a'.repeat(64), buildkit });
    for (const sum of ['a', 'b', 'c']) expect(withBuilds).toContain(`'${sum.repeat(64)}'`);
    expect(withBuilds.match(/^ *download /gm)).toHaveLength(2);
    expect(withBuilds.match(/^ *curl .*-o/gm)).toHaveLength(1);
  });

  it('P66: quotes what is put into it', () => {
    const evil = renderInstallScript({ url: "https://x/'; reboot; '", agentSha256: 'a'.repeat(64), buildkit: null });
    expect(evil).toContain(String.raw`url='https://x/'\''; reboot; '\'''`);
  });
});
