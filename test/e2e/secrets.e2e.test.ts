import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../cli/root.ts';
import { LogPage } from '../../core/contract/resources/log-pages.ts';
import type { SecretSet } from '../../core/contract/resources/secrets.ts';
import { eventually } from './eventually.ts';
import { addressOf, Harness, pageAt } from './harness.ts';
import { processesOf } from './processes.ts';
import { recordPrograms, type Recorder } from './recorder.ts';
import { app, type Files, type TestRepository } from './repository.ts';
import { secretsInArguments, secretsInFiles } from './secrets-at-rest.ts';

const first = 'canary-first-6f1d0c2ab9';
const second = 'canary-second-e83b5517d4';
const secrets = { first, second };

/** Says what it has by its digest alone, and gives it away in its log. */
const command =
  '/bin/busybox sh -c "echo the token is $TOKEN; printf %s $TOKEN | /bin/busybox sha256sum > /www/index.html; exec /bin/busybox httpd -f -p 8080 -h /www"';

let harness: Harness;
let programs: string;
let recorder: Recorder;
let repository: TestRepository;
let sha: string;
let refused: string;
let old: string;

beforeAll(async () => {
  programs = await mkdtemp(path.join(tmpdir(), 'landfall-programs-'));
  recorder = await recordPrograms(programs);
  harness = await Harness.start({ programs: recorder.directory });
  repository = await harness.repository('vault');
});

afterAll(async () => {
  const left = await harness.end();
  await rm(programs, { recursive: true, force: true });
  expect(left).toEqual([]);
});

function withSecret(): Files {
  return app('', { service: `secrets: [TOKEN]\ncommand: ${JSON.stringify(command)}` });
}

function digestOf(value: string): string {
  return `${createHash('sha256').update(value).digest('hex')}  -\n`;
}

interface Said {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The command that a person types, with this on its standard input. */
function landfall(args: string[], input: string): Promise<Said> {
  const file = path.join(packageRoot(), 'cli', 'landfall.mjs');
  const child = spawn(process.execPath, [file, ...args, '--data', harness.dataDir], { stdio: 'pipe' });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...said }));
  });
}

const serving = async () => (await harness.projects())[0]!.environments[0]!.services[0]!;

/** The whole database as text, bytes as hexadecimal digits. */
async function dump(): Promise<string> {
  const tables = await harness.rows<{ name: string }>(
    `SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const rows = [];
  for (const { name } of tables) rows.push(await harness.rows(`SELECT to_jsonb(t) FROM ${name} AS t`));
  return JSON.stringify(rows);
}

const hex = (text: string): string => Buffer.from(text).toString('hex');

describe('secrets, from the command to the container', () => {
  it('a service that lacks one is not deployed, and the check run says how it is set', async () => {
    sha = await repository.push(withSecret());
    const intent = await harness.failed(sha);
    refused = intent.id;
    expect(intent).toMatchObject({ reasonCode: 'secret_missing', builds: [] });
    const check = await harness.checkRun(repository, sha);
    expect(check.conclusion).toBe('failure');
    expect(check.output.summary).toContain(
      'web needs the secret TOKEN, which production does not have. Set it with: landfall secret set TOKEN --environment production',
    );
  });

  it('run again with it, the container has the value that was given on standard input', async () => {
    const set = await landfall(['secret', 'set', 'TOKEN', '--environment', 'production'], `${first}\n`);
    expect(set).toMatchObject({ code: 0, stdout: expect.stringContaining('TOKEN of production is set (version 1)') });
    const check = await harness.checkRun(repository, sha);
    await harness.sandbox.rerequestCheck({ checkRunId: check.id, by: 'ada' });
    old = addressOf(await harness.succeeded(sha, [refused]));
    expect(await pageAt(old)).toBe(digestOf(first));
  });

  it('P06: another value is rolled out start-first: the old replica serves until the new one does', async () => {
    const before = await serving();
    const set = await landfall(['secret', 'set', 'TOKEN', '--json'], second);
    const { rollouts } = JSON.parse(set.stdout) as SecretSet;
    expect(rollouts).toMatchObject([{ service: 'web' }]);
    const pages: (string | null)[] = [];
    const after = await eventually(
      async () => {
        const page = await pageAt(old);
        const now = await serving();
        if (now.rollout?.stage === 'stopping_old' || now.rollout?.stage === 'running') return now;
        pages.push(page);
        return null;
      },
      { what: 'the rollout of the new value' },
    );
    expect(pages.filter((page) => page !== digestOf(first))).toEqual([]);
    expect(after.serving).toMatchObject({ sha: before.serving?.sha, image: before.serving?.image });
    expect(after.serving?.number).toBe(before.serving!.number + 1);
    const [allocation] = await harness.rows<{ ip: string }>(
      `SELECT ip FROM "Allocation" WHERE "rolloutId" = $1 AND desired = 'running'`,
      [rollouts[0]!.id],
    );
    expect(await pageAt(`http://${allocation!.ip}:8080/`)).toBe(digestOf(second));
  });

  it('P65: what a container says of its secrets is masked before it leaves the node', async () => {
    const service = await serving();
    const read = async (): Promise<string | null> => {
      const { lines } = await harness.get(`/services/${service.id}/logs?limit=500`, LogPage);
      const text = lines.map((line) => line.text).join('\n');
      return text.includes('the token is') ? text : null;
    };
    const log = await eventually(read, { what: 'the log of the service' });
    expect(log).toContain('the token is ***');
    expect(log).not.toMatch(/canary/);
  });

  it('P60 P64 P65: the values are nowhere in the clear: files, database, answers, arguments, GitHub', async () => {
    const list = await landfall(['secret', 'list'], '');
    expect(list.stdout).toMatch(/TOKEN +all +2 .* web/);
    const [project] = await harness.projects();
    const at = project!.environments[0]!.id;
    const authorization = `Bearer ${harness.line.connection.token}`;
    const answers: string[] = [];
    for (const what of ['projects', 'intents', 'rollouts', 'allocations', 'audit-events', `environments/${at}/secrets`])
      answers.push(
        await (await fetch(`${harness.line.connection.url}/api/v1/${what}`, { headers: { authorization } })).text(),
      );
    const github = JSON.stringify(await harness.sandbox.inspectRepository({ repositoryId: repository.id }));
    const database = await dump();
    for (const value of [first, second])
      for (const text of [list.stdout, ...answers, github, database])
        expect(text.includes(value) || text.includes(hex(value))).toBe(false);
    const running = processesOf(harness.dataDir).map(({ argv }) => argv);
    expect(secretsInArguments([...(await recorder.calls()), ...running], secrets)).toEqual([]);
    // The engine keeps the variables and the output of a container, where root alone may read.
    expect(secretsInFiles(harness.dataDir, secrets, ['agent/containers'])).toEqual([]);
    expect(statSync(path.join(harness.dataDir, 'agent')).mode & 0o077).toBe(0);
  });
});
