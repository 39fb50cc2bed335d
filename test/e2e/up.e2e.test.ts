import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../cli/build.mjs';
import { packageRoot } from '../../cli/root.ts';
import { partVariables } from '../../platform/config/up.ts';
import { eventually } from './eventually.ts';
import { freePorts, pageAt } from './harness.ts';
import { leftoversOf, processesOf } from './processes.ts';
import { run, start, succeed, type Ended, type Program } from './program.ts';

let root: string;
/** The folder that most of these tests share. */
let data: string;
let port: number;

const landfall = (...args: string[]): string[] => [
  process.execPath,
  path.join(packageRoot(), 'dist', 'cli.js'),
  ...args,
];
const up = (...args: string[]): string[] => landfall('up', ...args);
const bridgeOf = (dataDir: string): string => bridgeIn(readFileSync(path.join(dataDir, 'network.json'), 'utf8'));
const leftovers = (dataDir: string): string[] =>
  existsSync(path.join(dataDir, 'network.json'))
    ? leftoversOf(dataDir, bridgeOf(dataDir))
    : leftoversOf(dataDir, 'none');

beforeAll(async () => {
  await build((line) => process.stderr.write(`${line}\n`));
  root = await mkdtemp(path.join(tmpdir(), 'landfall-e2e-'));
  data = path.join(root, 'data');
  port = (await freePorts()).server;
});

afterAll(async () => {
  const left = readdirSync(root).flatMap((name) => leftovers(path.join(root, name)));
  await rm(root, { recursive: true, force: true });
  expect(left).toEqual([]);
});

const serverProgram = path.join(packageRoot(), 'dist', 'server.js');
const serverOf = (dataDir: string): number | null =>
  processesOf(dataDir).find(({ argv }) => argv.includes(serverProgram))?.pid ?? null;

/** One sentence on standard error, nothing on standard output, and nothing that was started. */
function refused(ended: Ended, sentence: RegExp): void {
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr.trim()).toMatch(sentence);
  expect(ended.stderr.trim().split('\n')).toHaveLength(1);
}

const stageNames = ['received', 'queued', 'building', 'built', 'pulling', 'starting', 'healthy', 'running'];

async function landsOnce(): Promise<{ sha: string; url: string }> {
  const { code, stdout, stderr } = await run(up('--once', '--data', data, '--port', String(port)));
  expect([code, stderr]).toEqual([0, expect.stringContaining('It serves:')]);
  expect(leftovers(data)).toEqual([]);
  const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
  expect(Object.keys(result)).toEqual(['url', 'sha', 'digest', 'stages', 'total_ms']);
  expect(result).toMatchObject({
    url: expect.stringMatching(/^http:\/\//),
    sha: expect.stringMatching(/^[0-9a-f]{40}$/),
    digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
  });
  const stages = result['stages'] as Record<string, number>;
  for (const stage of stageNames) expect([stage, stages[stage]]).toEqual([stage, expect.any(Number)]);
  expect(result['total_ms']).toBe(Object.values(stages).reduce((sum, ms) => sum + ms, 0));
  return result as { sha: string; url: string };
}

it('--once lands the sample, ends with one line of JSON, and leaves nothing behind; a second start lands another', async () => {
  const first = await landsOnce();
  const second = await landsOnce();
  expect(second.sha).not.toBe(first.sha);
});

describe('refuses to start, with one sentence and nothing started,', () => {
  it('on a port that is taken', async () => {
    const other: Server = createServer();
    await new Promise<void>((resolve, reject) => other.once('error', reject).listen(port + 2, '127.0.0.1', resolve));
    const dataDir = path.join(root, 'ports');
    refused(
      await run(up('--data', dataDir, '--port', String(port))),
      new RegExp(`^Port ${port + 2} \\(image registry\\) is taken.*--port`),
    );
    await new Promise((resolve) => other.close(resolve));
    expect(existsSync(dataDir)).toBe(false);
    expect(leftovers(dataDir)).toEqual([]);
  });

  it('without root', async () => {
    // It may read the program, wherever that lies.
    const nobody = [
      'setpriv',
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      '--inh-caps=+dac_read_search',
      '--ambient-caps=+dac_read_search',
      '--',
    ];
    refused(
      await run([...nobody, ...up('--data', path.join(root, 'nobody'), '--port', String(port))]),
      /needs root.*sudo npm run up$/,
    );
  });

  it('with too little disk', async () => {
    const small = path.join(root, 'small');
    await mkdir(small);
    await succeed(['mount', '-t', 'tmpfs', '-o', 'size=100m', 'tmpfs', small]);
    try {
      refused(
        await run(up('--data', small, '--port', String(port))),
        /^Too little disk at .*small: 0\.1 GB free, 2\.0 GB needed.*--data/,
      );
      expect(readdirSync(small)).toEqual([]);
    } finally {
      await succeed(['umount', small]);
    }
  });

  it('in a folder that cannot be written', async () => {
    const file = path.join(root, 'file');
    await writeFile(file, '');
    refused(await run(up('--data', file, '--port', String(port))), /file cannot be written.*--data/);
    refused(await run(up('--data', '/proc/landfall', '--port', String(port))), /\/proc\/landfall cannot be written/);
  });

  it('with a port that is none', async () => {
    const { code, stderr } = await run(up('--port', '80'));
    expect([code, stderr]).toEqual([1, expect.stringContaining('a number from 1024 to 65532')]);
  });

  it('with --once where a real GitHub is configured', async () => {
    const configured = { GITHUB_APP_ID: '1' };
    const ended = await run(up('--once', '--data', path.join(root, 'real'), '--port', String(port)), configured);
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringMatching(/GITHUB_APP_ID is set.\n.*leave out --once/)]);
  });
});

it.each(['SIGINT', 'SIGTERM'] as const)('%s during the start ends it and leaves nothing', async (signal) => {
  const dataDir = path.join(root, signal);
  const program = start(up('--once', '--data', dataDir, '--port', String(port)));
  await program.says(/registry is ready/);
  program.signal(signal);
  const { code, stdout, stderr } = await program.ended;
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain(`Ended by ${signal} before the push had landed.`);
  expect(leftovers(dataDir)).toEqual([]);
});

it('ends with the reason when a part ends again and again, and leaves nothing', async () => {
  const program = start(up('--data', data, '--port', String(port)));
  await program.says(/Console:/);
  const killed = new Set<number>();
  while (killed.size < 4) {
    const next = await eventually(() => (killed.has(serverOf(data) ?? 0) ? null : serverOf(data)), {
      what: 'another server process',
    });
    process.kill(next, 'SIGKILL');
    killed.add(next);
  }
  const { code, stderr } = await program.ended;
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/server ended by SIGKILL[^]*did so 4 times within a minute/),
  ]);
  expect(leftovers(data)).toEqual([]);
});

/** The server alone is trusted with the environment of `up`. */
const canaries = {
  GITHUB_TOKEN: 'canary-token-41b0',
  GITHUB_PRIVATE_KEY: 'canary-key-92fe',
  CANARY: 'canary-any-7d11',
};

/** Of the process as it was started; none of one that has ended since it was listed. */
function variablesOf(pid: number): Map<string, string> {
  const file = `/proc/${pid}/environ`;
  const pairs = existsSync(file) ? readFileSync(file, 'utf8').split('\0').filter(Boolean) : [];
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

describe('while it runs', () => {
  let program: Program;
  let url: string;

  const serves = async (): Promise<void> => {
    await eventually(async () => ((await pageAt(url)) === null ? null : true), { what: `an answer of ${url}` });
  };
  const startAgain = async (): Promise<void> => {
    program = start(up('--data', data, '--port', String(port)), canaries);
    [, url = ''] = await program.says(/It serves: +(\S+)/);
  };
  const cli = (...args: string[]): Promise<Ended> => run(landfall(...args, '--data', data));
  const json = async (...args: string[]): Promise<unknown> =>
    JSON.parse(await succeed(landfall(...args, '--data', data, '--json')));

  beforeAll(startAgain);

  afterAll(async () => {
    program.signal('SIGINT');
    expect(await program.ended).toMatchObject({ code: 0, stdout: '' });
    expect(leftovers(data)).toEqual([]);
  });

  it('the sample serves again without a push', async () => {
    await serves();
    expect(await json('status')).toMatchObject({
      projects: [
        { repository: 'landfall/sample', environments: [{ name: 'production', services: [{ name: 'web' }] }] },
      ],
    });
  });

  it('its parts get no variable but those that programs need to run, except the server', () => {
    const allowed = partVariables({ ...process.env, ...canaries });
    const all = processesOf(data).filter(({ pid }) => pid !== program.pid);
    for (const file of ['agent.js', 'sandbox.js', 'docker-registry']) {
      const part = all.find(({ argv }) => argv.some((word) => path.basename(word) === file));
      const names = [...variablesOf(part!.pid).keys()];
      expect([file, names.filter((name) => !Object.hasOwn(allowed, name))]).toEqual([file, []]);
    }
    const knowing = all.filter(({ pid }) => [...variablesOf(pid).values()].some((value) => value.includes('canary-')));
    expect(knowing.map(({ argv }) => argv)).toEqual([expect.arrayContaining([serverProgram])]);
  });

  it('what it keeps is for its owner alone, the sample with its push token too', () => {
    const secret = [
      '',
      'sample',
      'sample/.git/config',
      'sandbox',
      'sandbox.json',
      'sandbox/state.json',
      'secrets.json',
    ];
    const others = [
      'connection.json',
      'github-app.pem',
      'postgres.password',
      'master.key',
      'registry/htpasswd',
      'logs',
    ];
    const open = [...secret, ...others].filter((name) => (statSync(path.join(data, name)).mode & 0o077) !== 0);
    expect(open).toEqual([]);
    expect(readFileSync(path.join(data, 'sample/.git/config'), 'utf8')).toMatch(/url = http:\/\/ada:ghp_/);
  });

  it('another one is refused in its folder, and on its ports', async () => {
    const inFolder = await run(up('--data', data, '--port', String(port + 40)));
    refused(inFolder, new RegExp(`^Another landfall up \\(process ${program.pid}\\) uses ${data}`));
    refused(
      await run(up('--data', path.join(root, 'second'), '--port', String(port))),
      new RegExp(`^Port ${port} \\(server and console\\)`),
    );
    await serves();
  });

  it('another one with its own folder and ports lands beside it', async () => {
    const beside = path.join(root, 'beside');
    const { server } = await freePorts();
    const { code, stdout } = await run(up('--once', '--data', beside, '--port', String(server)));
    expect(code).toBe(0);
    const landed = JSON.parse(stdout) as { url: string };
    expect(new URL(landed.url).host).not.toBe(new URL(url).host);
    expect(leftovers(beside)).toEqual([]);
    await serves();
  });

  it('`landfall node` adds, lists, cordons and removes', async () => {
    const added = (await json('node', 'add', 'web-1', '--proxy')) as { command: string; token: string };
    expect(added.command).toContain(`--token ${added.token} --proxy`);
    expect((await cli('node', 'add', 'web-2')).stdout).toMatch(
      /Run this on web-2, as root, before .*\n\n {2}curl -fsSL http:\S+ \| sh -s -- .*--token lfr_[^]*Warning: .*another server cannot reach/,
    );
    const agent = [
      process.execPath,
      path.join(packageRoot(), 'dist', 'agent.js'),
      '--register',
      '--no-build',
      '--proxy',
    ];
    const nodeData = path.join(root, 'web-1');
    await succeed([...agent, '--url', `http://127.0.0.1:${port}`, '--data', nodeData, '--token', added.token]);
    const names = async (): Promise<unknown[]> =>
      ((await json('node', 'list')) as { name: string }[]).map(({ name }) => name);
    expect((await names()).sort()).toEqual(['local', 'web-1']);
    expect((await cli('node', 'list')).stdout).toMatch(/web-1 +proxy/);
    expect(await json('node', 'cordon', 'web-1')).toMatchObject({ name: 'web-1', state: 'cordoned' });
    expect((await cli('node', 'uncordon', 'web-1')).stdout).toContain('web-1 takes new replicas and builds again.');
    expect(await json('node', 'remove', 'web-1')).toEqual({ removed: 'web-1' });
    expect(await names()).toEqual(['local']);
    const unknown = await cli('node', 'remove', 'web-1');
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('There is no node "web-1". Registered are: local.');
  });

  it('`landfall status` and `landfall logs` show what serves and what it says', async () => {
    expect((await cli('status')).stdout).toMatch(
      /landfall\/sample +production +web +[0-9a-f]{7} \(release \d+\) +1\/1/,
    );
    const builds = (await json('build', 'list')) as { id: string; status: string }[];
    expect(builds.map(({ status }) => status)).toContain('succeeded');
    expect((await cli('build', 'cancel', builds.at(-1)!.id)).stdout).toContain('has ended already: succeeded');
    expect((await cli('logs', '--build', builds[0]!.id)).stdout).toMatch(/Fetching [0-9a-f]{40} from/);
    expect(await cli('logs', 'web')).toMatchObject({ code: 0 });
  });

  it('the CLI says what is wrong with what it was given', async () => {
    const cases: [string[], RegExp][] = [
      [
        ['logs', 'nope'],
        /There is no service "nope". There are:\n {2}web --environment production --repository landfall\/sample/,
      ],
      [['logs'], /Name a service, or a build with --build ID/],
      [['logs', '--build', 'nope'], /There is nothing here under this name/],
      [['logs', 'web', '--lines', 'many'], /'many' is invalid.* a number from 1 to 5000/],
      [['node', 'add', 'Not A Name'], /'Not A Name' is invalid.* lower-case letters, digits and hyphens/],
      [['node', 'add', 'local'], /A node of this name exists; remove it first or take another name/],
      [['node', 'remove'], /missing required argument 'name'/],
      [['stats'], /unknown command 'stats'\n\(Did you mean status\?\)/],
    ];
    for (const [args, words] of cases) {
      const ended = await cli(...args);
      expect([args, ended.code, ended.stdout]).toEqual([args, 1, '']);
      expect(ended.stderr).toMatch(words);
      expect(ended.stderr).not.toMatch(/ at .*:\d+:\d+/);
    }
    const refusal = await run(landfall('logs', 'nope', '--data', data, '--json'));
    expect(JSON.parse(refusal.stderr)).toMatchObject({
      error: { code: 'service_unknown', message: expect.any(String) },
    });
    for (const words of [['node', 'add'], ['stats'], ['status', '--data', '']]) {
      const { code, stderr } = await run(landfall(...words, '--json'));
      expect([words, code, JSON.parse(stderr)]).toMatchObject([words, 1, { error: { code: 'usage' } }]);
    }
    const agent = await run(landfall('agent', '--nope', '--json'));
    expect([agent.code, JSON.parse(agent.stderr)]).toMatchObject([1, { error: { code: 'flags_invalid' } }]);
  });

  it('the CLI says where it looked when nothing answers', async () => {
    expect((await run(landfall('status', '--data', root))).stderr).toMatch(/No control plane is known.*LANDFALL_URL/);
    const nobody = await run(landfall('status', '--url', 'http://127.0.0.1:1', '--token', 'lf_none'));
    expect([nobody.code, nobody.stderr]).toEqual([
      1,
      expect.stringMatching(/No control plane answers at http:\/\/127\.0\.0\.1:1/),
    ]);
    const stranger = await run(landfall('status', '--url', `http://127.0.0.1:${port}`, '--token', 'lf_wrong'));
    expect([stranger.code, stranger.stderr]).toEqual([1, expect.stringMatching(/token/)]);
  });

  it('killed outright, it takes everything along, and the next start serves again', async () => {
    program.signal('SIGKILL');
    await program.ended;
    await startAgain();
    await serves();
    const ups = processesOf(data).filter(({ argv }) => argv.includes('up'));
    expect(ups.map(({ pid }) => pid)).toEqual([program.pid]);
  });

  it.each([
    ['its server, it leaves no database', ['server.js']],
    ['its server and its agent, it leaves no network', ['server.js', 'agent.js']],
  ])('killed outright together with %s in the way of the next start', async (_what, programs) => {
    const files = programs.map((name) => path.join(packageRoot(), 'dist', name));
    const parts = processesOf(data).filter(({ argv }) => files.some((file) => argv.includes(file)));
    expect(parts.length).toBeGreaterThanOrEqual(programs.length);
    for (const { pid } of parts) process.kill(pid, 'SIGKILL');
    program.signal('SIGKILL');
    await program.ended;
    await startAgain();
    await serves();
  });

  it('with its node removed, or its identity lost, the next start registers again, serves, and builds', async () => {
    const identity = path.join(data, 'agent', 'identity.json');
    const names = async (): Promise<string[]> =>
      ((await json('node', 'list')) as { name: string }[]).map(({ name }) => name).sort();
    const end = async (): Promise<void> => {
      program.signal('SIGINT');
      expect(await program.ended).toMatchObject({ code: 0 });
    };
    await json('node', 'remove', 'local');
    await end();
    await startAgain();
    expect(await names()).toEqual(['local']);

    await json('node', 'remove', 'local');
    await rm(identity);
    await end();
    await startAgain();
    expect(await names()).toEqual(['local']);

    await end();
    await rm(identity);
    program = start(up('--data', data, '--port', String(port)));
    await program.says(/agent is ready/);
    expect(await names()).toEqual(['local', 'local-2']);
    await json('node', 'remove', 'local');
    [, url = ''] = await program.says(/It serves: +(\S+)/);
    await serves();
    await end();
    expect(await landsOnce()).toMatchObject({ url: expect.stringMatching(/^http/) });
    await startAgain();
  }, 400_000);

  it('a sample that was moved to another port serves there, now and after the next start', async () => {
    const sample = path.join(data, 'sample');
    for (const file of ['landfall.yml', 'Dockerfile']) {
      const text = await readFile(path.join(sample, file), 'utf8');
      await writeFile(path.join(sample, file), text.replaceAll('8080', '3000'));
    }
    const git = (...args: string[]): Promise<string> => succeed(['git', '-C', sample, ...args]);
    await git('commit', '--quiet', '--all', '--message', 'Another port');
    await git('push', '--quiet');
    const { hostname } = new URL(url);
    await eventually(
      async () => {
        const { allocations } = (await fetchApi('/api/v1/allocations')) as { allocations: { ip: string }[] };
        const [only, ...others] = allocations;
        const isAlone = only !== undefined && only.ip !== hostname && others.length === 0;
        return isAlone && (await pageAt(`http://${only.ip}:3000/`)) !== null ? true : null;
      },
      { what: 'the page at the other port alone' },
    );
    program.signal('SIGINT');
    expect(await program.ended).toMatchObject({ code: 0 });
    await startAgain();
    expect(new URL(url).port).toBe('3000');
    await serves();
  });

  async function fetchApi(at: string): Promise<unknown> {
    const connection = JSON.parse(readFileSync(path.join(data, 'connection.json'), 'utf8')) as {
      url: string;
      token: string;
    };
    const answer = await fetch(new URL(at, connection.url), {
      headers: { authorization: `Bearer ${connection.token}` },
    });
    return answer.json();
  }
});

function bridgeIn(text: string): string {
  return (JSON.parse(text) as { bridge: string }).bridge;
}
