import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import bcrypt from 'bcryptjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../cli/root.ts';
import { BuildResource } from '../../core/contract/resources/builds.ts';
import { NodeRegistration } from '../../core/contract/resources/nodes.ts';
import { hostileWords, pwned } from '../hostile/names.ts';
import { eventually } from './eventually.ts';
import { addressOf, ended, Harness, pageAt } from './harness.ts';
import { expectNoOrphans } from './landed.ts';
import { processesOf } from './processes.ts';
import { recordPrograms, type Recorder } from './recorder.ts';
import {
  app,
  commandDockerfile,
  failingDockerfile,
  shellStep,
  slowDockerfile,
  type TestRepository,
} from './repository.ts';
import { run, succeed, type Ended } from './program.ts';
import { secretsInArguments, secretsInFiles, type Secrets } from './secrets-at-rest.ts';

/** Room for the images of these tests, and for no large one. */
const registryMegabytes = 48;

let harness: Harness;
/** Where the parts find their programs first, which note what they are called with. */
let programs: string;
let recorder: Recorder;
/** Its first release serves all the time, whatever is pushed after it. */
let shop: TestRepository;
let serving: string;

const registryStorage = (): string => path.join(harness.dataDir, 'registry', 'data');

beforeAll(async () => {
  programs = await mkdtemp(path.join(tmpdir(), 'landfall-programs-'));
  recorder = await recordPrograms(programs);
  harness = await Harness.start({
    programs: recorder.directory,
    prepare: async (dataDir) => {
      const storage = path.join(dataDir, 'registry', 'data');
      await succeed(['mkdir', '-p', storage]);
      await succeed(['mount', '-t', 'tmpfs', '-o', `size=${registryMegabytes}m`, 'tmpfs', storage]);
    },
  });
  shop = await harness.repository('shop');
  serving = addressOf(await harness.succeeded(await shop.push(app('good'))));
});

afterEach(async () => {
  // What ran before still runs.
  expect(await pageAt(serving)).toBe('good');
});

afterAll(async () => {
  const faults = await harness.sandbox.listFailures({});
  const left = (await harness.stopLine()).filter((line) => line !== `mount ${registryStorage()}`);
  await succeed(['umount', registryStorage()]);
  await rm(programs, { recursive: true, force: true });
  expect([...left, ...(await harness.end())]).toEqual([]);
  expect(faults).toEqual([]);
});

describe('a push that cannot be built', () => {
  it('without a Dockerfile and a landfall.yml: the check run says what to add', async () => {
    const empty = await harness.repository('empty');
    const sha = await empty.push({ 'README.md': 'Nothing here' });
    const run = await harness.checkRun(empty, sha);
    expect(run).toMatchObject({ name: 'Landfall', conclusion: 'failure' });
    expect(run.output.summary).toContain('Nothing is deployed from this commit');
    expect(run.output.summary).toContain('Add a Dockerfile');
  });

  it('with a broken landfall.yml: the check run annotates the lines', async () => {
    const broken =
      'services:\n  web:\n    port: many\n    replica: 2\nenvironments:\n  production:\n    branch: main\n';
    const sha = await shop.push({ 'landfall.yml': broken });
    const run = await harness.checkRun(shop, sha);
    expect(run.conclusion).toBe('failure');
    const annotations = run.annotations.map(({ path: at, start_line, annotation_level }) => [
      at,
      start_line,
      annotation_level,
    ]);
    expect(annotations).toEqual([
      ['landfall.yml', 3, 'failure'],
      ['landfall.yml', 4, 'failure'],
    ]);
    expect(run.annotations[1]!.message).toContain('replicas');
    expect(await harness.intentsOf(sha)).toEqual([]);
  });

  it('with a RUN that fails: the check run annotates the line and shows the end of the log', async () => {
    const sha = await shop.push({ ...app('never'), Dockerfile: failingDockerfile('no such luck') });
    const intent = await harness.failed(sha);
    expect(intent).toMatchObject({ reasonCode: 'step_failed', rollouts: [] });
    const run = await harness.checkRun(shop, sha);
    expect(run.conclusion).toBe('failure');
    expect(run.annotations).toMatchObject([
      { path: 'Dockerfile', start_line: 3, end_line: 3, annotation_level: 'failure' },
    ]);
    expect(run.output.text).toContain('no such luck');
    expect(run.output.summary).toContain('What to do: ');
  });

  it('with a build that never ends: it is stopped at its timeout', async () => {
    const sha = await shop.push({
      ...app('never', { build: 'build: { timeout: 3s }' }),
      Dockerfile: slowDockerfile(601),
    });
    expect(await harness.failed(sha)).toMatchObject({ reasonCode: 'timed_out' });
    const run = await harness.checkRun(shop, sha);
    expect(run.output.summary).toContain('The build took longer than 3 seconds and was stopped.');
    await noStepLeft('601');
  });

  it('with a build that never ends: a newer push takes its place', async () => {
    const older = await shop.push({ ...app('never'), Dockerfile: slowDockerfile(602) });
    await harness.building(older, '602');
    const newer = await shop.push(app('good'));
    const intent = await harness.succeeded(newer);
    expect(await harness.intent(older, ended)).toMatchObject({ status: 'superseded', rollouts: [] });
    const run = await harness.checkRun(shop, older);
    expect(run).toMatchObject({ conclusion: 'cancelled', output: { title: 'A newer push took its place' } });
    await noStepLeft('602');
    serving = addressOf(intent);
  });

  it('with a build that never ends: a person cancels it', async () => {
    const sha = await shop.push({ ...app('never'), Dockerfile: slowDockerfile(603) });
    const { builds } = await harness.building(sha, '603');
    const call = { method: 'POST', path: `/api/v1/builds/${builds[0]!.id}/cancel`, answer: BuildResource } as const;
    expect(await harness.line.api.call(call)).toMatchObject({ status: 'cancelled' });
    expect(await harness.intent(sha, ended)).toMatchObject({ status: 'cancelled' });
    expect(await harness.checkRun(shop, sha)).toMatchObject({ conclusion: 'cancelled' });
    await noStepLeft('603');
  });
});

describe('a push that cannot be kept', () => {
  it('at a registry that refuses the password: the check run says what to mend', async () => {
    const htpasswd = path.join(harness.dataDir, 'registry', 'htpasswd');
    const before = await readFile(htpasswd, 'utf8');
    await writeFile(htpasswd, `landfall:${bcrypt.hashSync('another', 5)}\n`);
    await harness.kill('registry');
    await registryAnswers();
    const sha = await shop.push(app('never'));
    expect(await harness.failed(sha)).toMatchObject({ reasonCode: 'registry_refused', rollouts: [] });
    const run = await harness.checkRun(shop, sha);
    expect(run.output.summary).toContain('the right user name and password of the registry');
    await writeFile(htpasswd, before);
    await harness.kill('registry');
    await registryAnswers();
  });

  it('on a full disk: the check run says so, and the next push lands', async () => {
    const dockerfile = app('never')['Dockerfile']!.replace(
      'COPY www',
      `RUN ["/bin/busybox", "dd", "if=/dev/urandom", "of=/large", "bs=1M", "count=${registryMegabytes + 16}"]\nCOPY www`,
    );
    const sha = await shop.push({ Dockerfile: dockerfile });
    expect(await harness.failed(sha)).toMatchObject({ reasonCode: 'registry_failed', rollouts: [] });
    const run = await harness.checkRun(shop, sha);
    expect(run.output.summary).toContain('a full disk is the usual cause');
    await removeUploads();
    const intent = await harness.succeeded(await shop.push(app('good')));
    serving = addressOf(intent);
  });
});

describe('an image that does not serve', () => {
  it('because it exits at once: the last lines stand in the check run', async () => {
    const dockerfile = commandDockerfile({ command: ['sh', '-c', 'echo cannot go on; exit 7'] });
    const sha = await shop.push({ ...app('never'), Dockerfile: dockerfile });
    const intent = await harness.failed(sha);
    expect(intent).toMatchObject({
      reasonCode: 'crash_loop',
      rollouts: [{ stage: expect.stringMatching(/failed|rolled_back/) }],
    });
    const run = await harness.checkRun(shop, sha);
    expect(run.conclusion).toBe('failure');
    expect(run.output.text).toContain('cannot go on');
    await expectNoOrphans(harness);
  });

  it('because it never answers its port: it has until the deadline', async () => {
    const sha = await shop.push({
      ...app('never', { service: 'deadline: 5s' }),
      Dockerfile: commandDockerfile({ command: ['sleep', '600'] }),
    });
    expect(await harness.failed(sha)).toMatchObject({
      reasonCode: expect.stringMatching(/deadline_passed|health_failed/),
    });
    const run = await harness.checkRun(shop, sha);
    expect(run.conclusion).toBe('failure');
    expect(run.output.summary).toContain('What to do: ');
    await expectNoOrphans(harness);
  });
});

it('P20: a repository that is deleted in the middle of its build ends with that reason, and the queue moves on', async () => {
  const doomed = await harness.repository('doomed');
  const sha = await doomed.push({ ...app('never'), Dockerfile: slowDockerfile(604) });
  await harness.building(sha, '604');
  await harness.sandbox.deleteRepository({ repositoryId: doomed.id });
  const intent = await harness.intent(sha, ended);
  expect(intent).toMatchObject({ status: 'cancelled', reasonCode: 'repository_removed' });
  expect(intent.reason).toMatch(/acme\/doomed.*deleted/);
  await noStepLeft('604');
  const other = await harness.repository('other');
  await harness.succeeded(await other.push(app('other')));
});

it('P65: secrets are in no file, log, layer or argument, before, during and after a build', async () => {
  const { webhookSecret, registryPassword, appPrivateKey } = harness.secrets;
  const secrets: Secrets = {
    'a source token': /gh[sp]_[A-Za-z0-9]{16}/,
    'the registry password': registryPassword,
    'the registry credentials': Buffer.from(`landfall:${registryPassword}`).toString('base64'),
    'the webhook secret': webhookSecret,
    'the key of the App': appPrivateKey.split('\n')[5]!,
  };
  // Kept by those whose secrets they are: `up` itself, and the sandbox, which is GitHub.
  const known = ['secrets.json', 'sandbox.json', 'github-app.pem', 'sandbox'];
  const inFiles = (): string[] => secretsInFiles(harness.dataDir, secrets, known);
  const inArguments = async (): Promise<string[]> => {
    const running = processesOf(harness.dataDir).map(({ argv }) => argv);
    return secretsInArguments([...(await recorder.calls()), ...running], secrets);
  };
  const waiting = () =>
    processesOf(harness.dataDir).find(({ argv }) => argv.at(-1) === '605' && argv.at(-2) === 'sleep');
  const step = shellStep('busybox env; busybox cat /ctx/.git/config; busybox sleep 605; true');
  const dockerfile = app('canary')['Dockerfile']!.replace('COPY www', `COPY . /ctx\n${step}COPY www`);
  const curious = await harness.repository('curious');

  expect([...inFiles(), ...(await inArguments())]).toEqual([]);
  const sha = await curious.push({ ...app('canary'), Dockerfile: dockerfile });
  const { pid } = await eventually(() => waiting() ?? null, { what: 'the step that sleeps' });
  expect([...inFiles(), ...(await inArguments())]).toEqual([]);
  expect(await harness.intent(sha, () => true)).toMatchObject({ status: 'active' });
  process.kill(pid, 'SIGKILL');
  const intent = await harness.succeeded(sha);
  expect([...inFiles(), ...(await inArguments())]).toEqual([]);

  const log = await harness.buildLog(intent.builds[0]!.id);
  expect(log).toContain('busybox env');
  expect(secretsInArguments([[log]], secrets)).toEqual([]);
  // What is looked for is found where it may be, and where everything passes that is called.
  expect(secretsInFiles(harness.dataDir, secrets, [])).toContain('secrets.json: the registry password');
  const calls = (await recorder.calls()).map((argv) => argv.join(' '));
  expect(calls).toContainEqual(expect.stringMatching(new RegExp(`^git .* fetch .*${sha}`)));
  expect(calls).toContainEqual(expect.stringMatching(/^podman .* system service/));
});

it('P66: names that a shell or an option would be made of are names, from the push to the container', async () => {
  const odd = await harness.repository('--help');
  const branch = `team/-x;$(touch\${IFS}${pwned})&'"|é`;
  const folder = `-rf $(touch ${pwned}) 'a' "b"`;
  const dockerfile = `--file=\`touch ${pwned}\` & é.Dockerfile`;
  const words = hostileWords.join(' ');
  const page = shellStep('busybox mkdir /www; printf %s "$GREETING" > /www/index.html');
  const serve = 'printf %s "$WORDS" > /www/words.html; exec busybox httpd -f -p 8080 -h /www';
  const config = {
    services: {
      web: {
        ...{ port: 8080, health: { path: '/index.html', interval: '200ms' }, resources: { cpu: 0.1, memory: '16Mi' } },
        build: { context: folder, dockerfile: `${folder}/${dockerfile}`, args: { GREETING: words } },
        ...{ env: { WORDS: words }, command: ['/bin/busybox', 'sh', '-c', serve] },
      },
    },
    environments: { production: { branch } },
  };
  await odd.commit({
    'landfall.yml': JSON.stringify(config),
    [`${folder}/${dockerfile}`]: `FROM scratch\nCOPY busybox /bin/busybox\nARG GREETING\n${page}`,
  });
  await copyFile(path.join(odd.directory, 'busybox'), path.join(odd.directory, folder, 'busybox'));
  const sha = await odd.push({});
  await odd.git('push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
  const at = addressOf(await harness.succeeded(sha));
  expect([await pageAt(at), await pageAt(`${at}words.html`)]).toEqual([words, words]);
  expect(await harness.checkRun(odd, sha)).toMatchObject({ conclusion: 'success' });
  expect(
    await succeed([
      'find',
      harness.dataDir,
      odd.directory,
      process.cwd(),
      '-name',
      pwned,
      '-not',
      '-path',
      '*/node_modules/*',
    ]),
  ).toBe('');
});

describe('an agent', () => {
  const start = (name: string, ...args: string[]): Promise<Ended> => {
    const data = path.join(harness.dataDir, '..', `node-${name}`);
    const agent = [process.execPath, path.join(packageRoot(), 'dist', 'agent.js'), '--register', '--no-build'];
    return run([...agent, '--url', harness.line.connection.url, '--data', data, ...args]);
  };
  const add = async (name: string): Promise<string> => {
    const body = { name, kind: 'worker' };
    const call = { method: 'POST', path: '/api/v1/nodes', body, answer: NodeRegistration } as const;
    return (await harness.line.api.call(call)).token;
  };
  const refused = (ran: Ended, words: RegExp): void => {
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr.trim()).toMatch(words);
    expect(ran.stderr.trim()).not.toContain('\n');
  };

  it('without a token is told where to get one', async () => {
    refused(await start('tokenless'), /no token was given.*landfall node add/);
  });

  it('with a wrong token is refused', async () => {
    refused(await start('wrong', '--token', 'lfr_wrong'), /not registered.*landfall node add/);
  });

  it('with an expired token is refused', async () => {
    const token = await add('late');
    await harness.rows(
      `UPDATE "RegistrationToken" SET "expiresAt" = now() - interval '1 minute' WHERE "nodeName" = 'late'`,
    );
    refused(await start('late', '--token', token), /not registered.*older than 24 hours.*landfall node add/);
  });

  it('with a token that another node used is refused', async () => {
    const token = await add('early');
    expect(await start('early', '--token', token)).toMatchObject({ code: 0, stdout: expect.stringContaining('early') });
    refused(await start('copy', '--token', token), /not registered.*used.*one node/);
  });
});

/** The step of a build that was given up has really ended. */
async function noStepLeft(seconds: string): Promise<void> {
  const steps = (): string[] =>
    processesOf(harness.dataDir)
      .map(({ argv }) => argv.join(' '))
      .filter((line) => line.endsWith(`sleep ${seconds}`));
  await eventually(() => (steps().length === 0 ? true : null), { what: 'the end of a build step', lastSeen: steps });
}

async function registryAnswers(): Promise<void> {
  const url = `http://127.0.0.1:${harness.ports.registry}/v2/`;
  const ask = async (): Promise<true | null> => {
    try {
      return (await fetch(url)).status === 401 ? true : null;
    } catch {
      return null;
    }
  };
  await eventually(ask, { what: 'the registry' });
}

/** What a broken upload left, which the registry itself keeps for a week. */
async function removeUploads(): Promise<void> {
  const found = await succeed(['find', registryStorage(), '-type', 'd', '-name', '_uploads']);
  for (const directory of found.trim().split('\n')) await rm(directory, { recursive: true, force: true });
}
