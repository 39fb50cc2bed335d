/** What the README promises to who has just cloned: the files of the checkout, and nothing that was installed or made. */
import { existsSync, readFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { debianTools } from '../../cli/bootstrap/debian.mjs';
import { packageRoot } from '../../cli/root.ts';
import { freePorts } from './harness.ts';
import { leftoversOf, processesOf } from './processes.ts';
import { run, start, succeed, type Ended, type Program } from './program.ts';

let root: string;
let clone: string;
let data: string;
let port: number;

/** With what is not committed yet, and without what is ignored: what a commit of this checkout would hold. */
async function copyCheckout(to: string): Promise<void> {
  const from = packageRoot();
  const listed = await succeed(['git', '-C', from, 'ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  for (const name of listed.split('\0').filter((each) => each !== '' && existsSync(path.join(from, each)))) {
    await mkdir(path.join(to, path.dirname(name)), { recursive: true });
    await copyFile(path.join(from, name), path.join(to, name));
    await chmod(path.join(to, name), (await stat(path.join(from, name))).mode);
  }
}

/** In the clone, without what npm and the test runner have told this process. */
function inClone(...command: string[]): string[] {
  const told = Object.keys(process.env).filter((name) =>
    /^(npm_(?!config_)|npm_config_local_prefix$|INIT_CWD$|NODE_ENV$|TEST$|VITEST)/.test(name),
  );
  return ['env', `--chdir=${clone}`, ...told.flatMap((name) => ['-u', name]), ...command];
}

/** As the README has it. */
const npmRunUp = (...args: string[]): string[] =>
  inClone('npm', 'run', 'up', '--', ...args, '--data', data, '--port', String(port));

const left = (): string[] => {
  const { bridge } = JSON.parse(readFileSync(path.join(data, 'network.json'), 'utf8')) as { bridge: string };
  return [...leftoversOf(data, bridge), ...processesOf(clone).map(({ argv }) => argv.join(' '))];
};

beforeAll(async () => {
  root = await mkdtemp('/tmp/landfall-e2e-');
  clone = path.join(root, 'clone');
  data = path.join(root, 'data');
  port = (await freePorts()).server;
  await copyCheckout(clone);
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

describe('refuses before anything is installed', () => {
  let before: string[];

  beforeAll(async () => {
    before = await readdir(clone);
  });

  /** npm is not asked: it writes a file about each of its runs. */
  const up = (prefix: readonly string[] = [], dataDir = data): Promise<Ended> =>
    run([
      ...prefix,
      ...inClone(process.execPath, 'cli/bootstrap.mjs', 'up', '--data', dataDir, '--port', String(port)),
    ]);

  async function expectRefusal(ended: Ended, sentence: RegExp): Promise<void> {
    expect(ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(sentence) });
    expect(ended.stderr).not.toContain('installing');
    expect(await readdir(clone)).toEqual(before);
    expect(existsSync(data)).toBe(false);
  }

  it('without root, and names the exact command for the Debian packages that are missing', async () => {
    const programs = path.join(root, 'programs');
    await mkdir(programs);
    await writeFile(
      path.join(programs, 'dpkg-query'),
      '#!/bin/sh\nprintf "installed git\\ninstalled tini:amd64\\n"\nexit 1\n',
    );
    await chmod(path.join(programs, 'dpkg-query'), 0o755);
    // It may read the clone, wherever that lies.
    const privileges = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...privileges, '--'];
    const missing = Object.values(debianTools)
      .filter(({ neededBy }) => neededBy.includes('up'))
      .flatMap(({ packages }) => packages)
      .filter((name) => name !== 'git' && name !== 'tini');
    const ended = await up([...nobody, 'env', `PATH=${programs}:${process.env['PATH'] ?? ''}`]);
    await expectRefusal(ended, /needs root\. Run it again with: sudo npm run up\n/);
    expect(ended.stderr).toContain(
      `  sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends ${missing.join(' ')}'\n`,
    );
  });

  it('on a port that is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve, reject) => other.once('error', reject).listen(port + 1, '127.0.0.1', resolve));
    await expectRefusal(await up(), new RegExp(`^Port ${port + 1} \\(sandbox GitHub\\) is taken.*--port`));
    await new Promise((resolve) => other.close(resolve));
  });

  it('with too little disk', async () => {
    const small = path.join(root, 'small');
    await mkdir(small);
    await succeed(['mount', '-t', 'tmpfs', '-o', 'size=100m', 'tmpfs', small]);
    try {
      await expectRefusal(
        await up([], path.join(small, 'data')),
        /^Too little disk at .*small\/data: 0\.1 GB free, 2\.0 GB needed/,
      );
      expect(await readdir(small)).toEqual([]);
    } finally {
      await succeed(['umount', small]);
    }
  });
});

it('`npm run up -- --once` installs, lands the sample, says so in its last line, and leaves nothing behind', async () => {
  const { code, stdout, stderr } = await run(npmRunUp('--once'));
  expect([code, stderr]).toEqual([0, expect.stringMatching(/installing npm packages[^]*It serves:/)]);
  expect(left()).toEqual([]);
  const landed = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
  expect(Object.keys(landed)).toEqual(['url', 'sha', 'digest', 'stages', 'total_ms']);
  expect(landed).toMatchObject({
    url: expect.stringMatching(/^http:\/\/[\d.]+:8080\/$/),
    sha: expect.stringMatching(/^[0-9a-f]{40}$/),
    digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    stages: { building: expect.any(Number), running: expect.any(Number) },
    total_ms: expect.any(Number),
  });
}, 600_000);

it.each([
  ['Ctrl-C, which the whole process group gets,', ({ pid }: Program) => process.kill(-pid, 'SIGINT'), 'SIGINT'],
  ['SIGTERM, which npm alone gets,', (program: Program) => program.signal('SIGTERM'), 'SIGTERM'],
])('`npm run up` ends with all that it started by %s', async (_what, end, name) => {
  const program = start(npmRunUp());
  await program.says(/It serves: +http/);
  end(program);
  expect(await program.ended).toMatchObject({ code: 0, stderr: expect.stringContaining(`${name}: ended.`) });
  expect(left()).toEqual([]);
});
