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
  const download = (name: string) => ({
    ...{ url: `https://example.com/${name}.tar.gz`, sha256: name.at(0)!.repeat(64), member: `bin/${name}` },
  });
  const downloads = {
    node: { amd64: download('b'), arm64: download('c') },
    buildkit: { amd64: download('d'), arm64: download('e') },
  };

  it('is this', async () => {
    const script = renderInstallScript({ url: unit.url, agentSha256: 'a'.repeat(64), ...downloads });
    await expect(script).toMatchFileSnapshot('golden/install.sh');
  });

  it('P70: checks what it downloads against checksums that stand in it', () => {
    const script = renderInstallScript({ url: unit.url, agentSha256: 'a'.repeat(64), ...downloads });
    for (const sum of ['a', 'b', 'c', 'd', 'e']) expect(script).toContain(`'${sum.repeat(64)}'`);
    expect(script.match(/^ *curl .*-o/gm)).toHaveLength(1);
  });

  it('P66: quotes what is put into it', () => {
    const evil = renderInstallScript({
      url: "https://x/'; reboot; '\nreboot",
      agentSha256: 'a'.repeat(64),
      ...downloads,
    });
    expect(evil).toContain("url='https://x/'\\''; reboot; '\\''\nreboot'\n");
    expect(evil).toMatch(/^# Usage: .*; 'reboot\/install\.sh/m);
  });
});
