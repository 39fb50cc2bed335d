import { once } from 'node:events';
import { access, chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agentEnvironment } from '../../platform/config/agent.ts';
import { run } from '../process/run.ts';
import { renderInstallScript } from './script.ts';

/** Stands for the agent: says what it was called with, and refuses its token when that is `wrong`. */
const agentScript = `const said = process.argv.slice(2);
if (said.includes('wrong')) { console.error('The node was not registered.'); process.exit(1); }
console.log('agent ' + said.join(' '));
`;
const sha256 = createHash('sha256').update(agentScript).digest('hex');
let dir: string;
let server: Server;
let url: string;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'landfall-install-'));
  server = createServer((request, response) => {
    response.writeHead(request.url === '/agent.js' ? 200 : 404).end(agentScript);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  // What would change this machine only says that it was called.
  for (const name of ['apt-get', 'systemctl']) {
    await writeFile(path.join(dir, name), `#!/bin/sh\necho "${name} $*" >> "${dir}/called"\n`);
    await chmod(path.join(dir, name), 0o755);
  }
});

afterEach(async () => {
  server.close();
  await rm(dir, { recursive: true, force: true });
});

async function install(agentSha256: string, ...args: string[]) {
  const file = path.join(dir, 'install.sh');
  const script = renderInstallScript({ url, agentSha256, buildkit: null })
    .replaceAll('/usr/local/lib/landfall', path.join(dir, 'lib'))
    .replaceAll('/etc/systemd/system', dir);
  await writeFile(file, script);
  const { variables } = agentEnvironment();
  const env = { ...variables, PATH: `${dir}:${path.dirname(process.execPath)}:${variables['PATH'] ?? ''}` };
  return await run({ argv: ['sh', file, '--data', path.join(dir, 'data'), ...args], env, deadlineMs: 30_000 });
}
const there = (name: string) =>
  access(path.join(dir, name)).then(
    () => true,
    () => false,
  );

describe('install.sh', () => {
  it('installs the agent, registers the node, and starts the service', async () => {
    const { code, stdout, stderr } = await install(sha256, '--token', 'lfn_x', '--proxy');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`agent --url ${url} --data ${dir}/data --proxy --token lfn_x --register\n`);
    expect(await readFile(path.join(dir, 'landfall-agent.service'), 'utf8')).toBe(
      `agent --url ${url} --data ${dir}/data --proxy --no-build --unit\n`,
    );
    expect((await readFile(path.join(dir, 'called'), 'utf8')).split('\n').slice(-4)).toEqual([
      'systemctl daemon-reload',
      'systemctl enable --quiet landfall-agent.service',
      'systemctl restart landfall-agent.service',
      '',
    ]);
  });

  it('P70: installs nothing that has another checksum', async () => {
    const { code, stderr } = await install('0'.repeat(64), '--token', 'lfn_x');
    expect(code).toBe(1);
    expect(stderr).toBe(`landfall: ${url}/agent.js has the wrong checksum; nothing was installed from it.\n`);
    expect([await there('lib/agent.js'), await there('landfall-agent.service')]).toEqual([false, false]);
  });

  it('starts no service for a node that was not registered', async () => {
    const { code, stderr } = await install(sha256, '--token', 'wrong');
    expect([code, stderr]).toEqual([1, 'The node was not registered.\n']);
    expect(await there('landfall-agent.service')).toBe(false);
    expect(await readFile(path.join(dir, 'called'), 'utf8')).not.toContain('systemctl restart');
  });

  it.each([
    ['--colour', 'Unknown argument: --colour\n'],
    ['--data=relative', 'Unknown argument: --data=relative\n'],
  ])('says what is wrong with %s', async (argument, message) => {
    expect(await install(sha256, argument)).toMatchObject({ code: 1, stderr: message });
  });
});
