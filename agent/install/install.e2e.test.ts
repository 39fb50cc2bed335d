import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { installMachine, type InstallMachine } from '../testing/install-machine.ts';

/** What a refusal leaves as it was: nothing is installed, called, or left over. */
function expectUntouched(machine: InstallMachine, before: readonly string[]): void {
  expect(machine.called()).toEqual([]);
  expect(readdirSync(machine.dir)).toEqual(before);
}
const wrong = { sha256: '0'.repeat(64) };

describe('install.sh', () => {
  it('installs the agent, registers the node, and starts the service', async () => {
    const machine = await installMachine({ node: 'fitting' });
    const { code, stdout, stderr } = await machine.install({}, '--token', 'lfr_x', '--proxy');
    expect([code, stderr]).toEqual([0, '']);
    const { url, dir } = machine;
    expect(stdout).toContain(`node runs agent --url ${url} --data ${dir}/data --proxy --token lfr_x --register\n`);
    expect(machine.read('landfall-agent.service')).toBe(
      `agent --url ${url} --data ${dir}/data --proxy --no-build --unit\n`,
    );
    expect(machine.called().slice(-3)).toEqual([
      'systemctl daemon-reload',
      'systemctl enable --quiet landfall-agent.service',
      'systemctl restart landfall-agent.service',
    ]);
  });

  it('gives no program the script to read that comes through the pipe', async () => {
    const machine = await installMachine({ node: 'fitting' });
    expect((await machine.install({}, '--token', 'lfr_x')).code).toBe(0);
    expect(machine.read('read')).toBe('');
    expect(machine.called()).toContainEqual(expect.stringMatching(/^apt-get install .*--force-confold/));
  });

  it('brings Node.js to a server that has none', async () => {
    const machine = await installMachine({ node: 'none' });
    const { code, stdout, stderr } = await machine.install({}, '--token', 'lfr_x');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('ours runs agent');
    expect(existsSync(path.join(machine.dir, 'lib/bin/node'))).toBe(true);
  });

  it.each([
    ['18.20.4', 'ours'],
    ['20.18.3', 'ours'],
    ['20.19.0', 'node'],
    ['24.0.0', 'node'],
  ])('runs the agent of a server that has Node.js %s with %s', async (version, runs) => {
    const machine = await installMachine({ node: 'none' });
    const asVersion = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`;
    machine.onPath(
      'node',
      `[ "$1" = -e ] || exec ${process.execPath} "$@"; exec ${process.execPath} -e "${asVersion}; $2"`,
    );
    const { code, stdout, stderr } = await machine.install({}, '--token', 'lfr_x');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`${runs} runs agent`);
  });

  it('downloads Node.js and BuildKit once', async () => {
    const machine = await installMachine({ node: 'none' });
    const { buildkit } = machine;
    expect((await machine.install({ buildkit }, '--token', 'lfr_x')).stdout).toMatch(
      /downloading node\n.*downloading buildkitd\n/,
    );
    expect((await machine.install({ buildkit }, '--token', 'lfr_x')).stdout).not.toMatch(
      /downloading (node|buildkitd)/,
    );
  });

  it('brings the agent of a registered server up to date without a token', async () => {
    const machine = await installMachine({ node: 'fitting' });
    mkdirSync(path.join(machine.dir, 'data'));
    writeFileSync(path.join(machine.dir, 'data', 'identity.json'), '{}');
    const { code, stdout, stderr } = await machine.install({});
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`--data ${machine.dir}/data --token  --register\n`);
  });

  it('installs BuildKit, and has the agent run it', async () => {
    const machine = await installMachine({ node: 'fitting' });
    const { code, stderr } = await machine.install({ buildkit: machine.buildkit }, '--token', 'lfr_x');
    expect([code, stderr]).toEqual([0, '']);
    expect(machine.read('lib/bin/buildkitd')).toContain('echo buildkitd');
    expect(machine.read('landfall-agent.service')).toContain(` --buildkitd ${machine.dir}/lib/bin/buildkitd `);
  });

  it.each(['agent', 'node', 'buildkit'])('P70: changes nothing when %s has another checksum', async (what) => {
    const machine = await installMachine({ node: 'none' });
    const { options, buildkit } = machine;
    const spoilt = {
      agent: { agentSha256: wrong.sha256 },
      node: { node: { amd64: { ...options.node.amd64, ...wrong }, arm64: { ...options.node.arm64, ...wrong } } },
      buildkit: { buildkit: { amd64: { ...buildkit.amd64, ...wrong }, arm64: { ...buildkit.arm64, ...wrong } } },
    }[what];
    const before = readdirSync(machine.dir);
    const { code, stderr } = await machine.install({ buildkit, ...spoilt }, '--token', 'lfr_x');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^landfall: http:\S+ has the wrong checksum\. Nothing was changed on this machine\.\n$/);
    expectUntouched(machine, before);
  });

  it('P70: keeps the BuildKit that is there when a new one has another checksum', async () => {
    const machine = await installMachine({ node: 'fitting' });
    const { buildkit } = machine;
    await machine.install({ buildkit }, '--token', 'lfr_x');
    const other = { ...buildkit.amd64, ...wrong };
    expect((await machine.install({ buildkit: { amd64: other, arm64: other } }, '--token', 'lfr_x')).code).toBe(1);
    expect(machine.read('lib/bin/buildkitd')).toContain('echo buildkitd');
    expect(machine.read('lib/bin/buildkitd.sha256')).toBe(`${buildkit.amd64.sha256}\n`);
  });

  it('starts no service for a node that was not registered', async () => {
    const machine = await installMachine({ node: 'fitting' });
    const { code, stderr } = await machine.install({}, '--token', 'wrong');
    expect([code, stderr]).toEqual([1, 'The node was not registered.\n']);
    expect(machine.read('landfall-agent.service')).toBeNull();
    expect(machine.called().join('\n')).not.toMatch(/systemctl (re)?start/);
  });

  it('starts an agent again that ran before, when its node cannot be registered', async () => {
    const machine = await installMachine({ node: 'fitting' });
    await machine.install({}, '--token', 'lfr_x');
    expect((await machine.install({}, '--token', 'wrong')).code).toBe(1);
    expect(machine.called().slice(-2)).toEqual([
      'systemctl stop landfall-agent.service',
      'systemctl start landfall-agent.service',
    ]);
  });

  it.each([
    [['--colour'], 'Unknown argument: --colour. '],
    [['--token'], '--token needs a value. '],
    [['--token', '--proxy'], '--token needs a value. '],
    [['--token', 'lfr_x', '--data'], '--data needs a value. '],
    [['--token', 'lfr_x', '--data', 'relative'], '--data takes an absolute path, not relative. '],
    [[], 'This server is not registered yet, and --token is missing. '],
  ])('changes nothing and says what is wrong with %j', async (args, message) => {
    const machine = await installMachine({ node: 'fitting' });
    const before = readdirSync(machine.dir);
    const { code, stderr } = await machine.install({}, ...args);
    expect([code, stderr.slice(0, message.length + 10)]).toEqual([1, `landfall: ${message}`]);
    expect(stderr).toMatch(/ Nothing was changed on this machine\.\n$/);
    expectUntouched(machine, before);
  });

  it.each([
    ['id', 'echo 1000', 'Run this as root'],
    ['dpkg', 'echo riscv64', 'Nodes run on amd64 and arm64, and this is riscv64.'],
  ])('changes nothing where %s says %j', async (name, script, message) => {
    const machine = await installMachine({ node: 'fitting' });
    machine.onPath(name, script);
    const before = readdirSync(machine.dir);
    const { code, stderr } = await machine.install({}, '--token', 'lfr_x');
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    expectUntouched(machine, before);
  });
});
