import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { testFolder } from '../../test/folder.ts';
import { renderInstallScript } from './script.ts';

const download = { url: 'http://127.0.0.1:9/archive', sha256: 'b'.repeat(64), member: 'bin/program' };
const script = renderInstallScript({
  url: 'http://127.0.0.1:9',
  agentSha256: 'a'.repeat(64),
  node: { amd64: download, arm64: download },
  buildkit: { amd64: download, arm64: download },
}).trimEnd();

/** Every program that the script names, and more: each only leaves word that it was called. */
const programs = [
  'apt-get',
  'cat',
  'chmod',
  'cp',
  'curl',
  'dpkg',
  'id',
  'install',
  'mkdir',
  'mktemp',
  'mv',
  'node',
  'rm',
];
const others = ['sha256sum', 'systemctl', 'tar', 'touch'];

/** The names of the programs that a shell called that got this much of the script. */
function calledBy(part: string): string[] {
  const bin = testFolder();
  const called = testFolder();
  for (const name of [...programs, ...others]) {
    writeFileSync(path.join(bin, name), `#!/bin/sh\n: > "${called}/\${0##*/}"\n`);
    chmodSync(path.join(bin, name), 0o755);
  }
  spawnSync('/bin/sh', ['-s', '--', '--token', 'lfr_x'], { input: part, env: { PATH: bin } });
  return readdirSync(called);
}

it('a script that arrives whole calls programs', () => {
  expect(calledBy(script)).toContain('id');
});

it('a script that is cut calls nothing, after whatever line it is cut', () => {
  const ends = [...script.matchAll(/\n/g)].flatMap(({ index }) => [index, index + 1]);
  expect(ends.length).toBeGreaterThan(100);
  for (const end of ends) expect([end, ...calledBy(script.slice(0, end))]).toEqual([end]);
});

it('a script that is cut calls nothing, wherever its last line is cut', () => {
  for (let end = script.lastIndexOf('\n'); end < script.length; end++)
    expect([script.slice(-40, end - script.length), ...calledBy(script.slice(0, end))]).toHaveLength(1);
});

it('is understood by the shells of Debian', () => {
  for (const shell of ['dash', 'bash']) expect(() => execFileSync(shell, ['-n'], { input: script })).not.toThrow();
});
