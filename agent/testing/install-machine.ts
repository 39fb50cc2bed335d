/** A machine for `install.sh`: a PATH that holds what a bare Debian has, with recording fakes for what would change this one. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { agentEnvironment } from '../../platform/config/agent.ts';
import { testFolder } from '../../test/folder.ts';
import { renderInstallScript, type InstallScriptOptions } from '../install/script.ts';
import { findProgram } from '../process/find-program.ts';
import { run } from '../process/run.ts';

/** What a bare Debian has, of what the script may call. */
const programs =
  'cat chmod cp curl cut dirname dpkg gzip head install ls mkdir mktemp mv rm sed sh sha256sum sleep tar touch tr uname';

/** Stands for the agent: says what it was called with and by which Node, and refuses its token when that is `wrong`. */
const agentScript = `const said = process.argv.slice(2);
if (said.includes('wrong')) { console.error('The node was not registered.'); process.exit(1); }
console.log(said.includes('--unit') ? 'agent ' + said.join(' ') : (process.env.RUN_BY ?? 'node') + ' runs agent ' + said.join(' '));
`;

export const sha256Of = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

export interface InstallMachine {
  /** Of the control plane, and of every download. */
  readonly url: string;
  readonly dir: string;
  readonly buildkit: NonNullable<InstallScriptOptions['buildkit']>;
  /** What `install.sh` holds when every checksum in it is right. */
  readonly options: InstallScriptOptions;
  /** Pipes the script into a shell, as the line that `landfall node add` prints does. */
  readonly install: (change: Partial<InstallScriptOptions>, ...args: string[]) => Promise<Outcome>;
  /** The calls of what would have changed the machine. */
  readonly called: () => string[];
  readonly read: (file: string) => string | null;
  readonly onPath: (name: string, script: string) => void;
}

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Its Node is the one of this process, or none. */
export async function installMachine({ node }: { node: 'fitting' | 'none' }): Promise<InstallMachine> {
  const dir = testFolder();
  const bin = path.join(dir, 'bin');
  mkdirSync(bin);
  const { variables } = agentEnvironment();
  const onPath = (name: string, script: string): void => {
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(bin, name), 0o755);
  };
  // No links: what is replaced by a fake would be the machine's own program.
  for (const name of programs.split(' '))
    onPath(name, `exec ${(await findProgram(name, variables)) ?? 'missing'} "$@"`);
  const record = `echo "\${0##*/} $*" >> "${dir}/called"`;
  // What it can read is not for it: the script comes the same way.
  onPath('apt-get', `${record}; cat >> "${dir}/read"`);
  onPath('systemctl', `${record}; [ "$1" != is-enabled ] || [ -e "${dir}/landfall-agent.service" ]`);
  onPath('id', 'echo 0');
  if (node === 'fitting') onPath('node', `exec ${process.execPath} "$@"`);

  const archives = {
    '/node.tar.gz': await archive(dir, 'node-v0-linux/bin/node', `RUN_BY=ours exec ${process.execPath} "$@"`),
    '/buildkit.tar.gz': await archive(dir, 'bin/buildkitd', 'echo buildkitd'),
  };
  const url = await serve({ '/agent.js': Buffer.from(agentScript), ...archives });
  const download = (file: keyof typeof archives, member: string) => {
    const one = { url: `${url}${file}`, sha256: sha256Of(archives[file]), member };
    return { amd64: one, arm64: one };
  };
  const buildkit = download('/buildkit.tar.gz', 'bin/buildkitd');
  const options = {
    url,
    agentSha256: sha256Of(agentScript),
    node: download('/node.tar.gz', 'node-v0-linux/bin/node'),
    buildkit: null,
  };
  const read = (file: string): string | null =>
    existsSync(path.join(dir, file)) ? readFileSync(path.join(dir, file), 'utf8') : null;
  return {
    ...{ url, dir, buildkit, options, read, onPath },
    called: () => read('called')?.trimEnd().split('\n') ?? [],
    install: async (change, ...args) => {
      const script = renderInstallScript({ ...options, ...change })
        .replaceAll('/usr/local/lib/landfall', path.join(dir, 'lib'))
        .replaceAll('/etc/systemd/system', dir);
      return piped(script, ['--data', path.join(dir, 'data'), ...args], { PATH: bin, TMPDIR: dir });
    },
  };
}

/** Gives the code, and what was said, of a shell that gets the script through a pipe. */
function piped(script: string, args: string[], env: Record<string, string>): Promise<Outcome> {
  return new Promise((resolve) => {
    const shell = execFile('/bin/sh', ['-s', '--', ...args], { env, timeout: 30_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    // A shell that refuses early closes the pipe.
    shell.stdin?.on('error', () => undefined);
    shell.stdin?.end(script);
  });
}

/** A gzipped tar archive with one program. */
async function archive(dir: string, member: string, script: string): Promise<Buffer> {
  const folder = path.join(dir, 'archive');
  const file = path.join(dir, 'archive.tar.gz');
  mkdirSync(path.dirname(path.join(folder, member)), { recursive: true });
  writeFileSync(path.join(folder, member), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const argv = ['tar', '-C', folder, '-czf', file, member];
  const { code, stderr } = await run({ argv, env: agentEnvironment().variables, deadlineMs: 10_000 });
  if (code !== 0) throw new Error(stderr);
  return readFileSync(file);
}

/** Gives the base URL. */
async function serve(files: Readonly<Record<string, Buffer>>): Promise<string> {
  const server = createServer((request, response) => {
    const file = files[request.url ?? ''];
    response.writeHead(file === undefined ? 404 : 200).end(file);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}
