/** A whole Landfall for one test file: started as `landfall up` starts it, asked over its API, and ended with everything it made. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import Type, { type Static, type TSchema } from 'typebox';
import { build } from '../../cli/build.mjs';
import { RefusedError, UnreachableError } from '../../cli/client.ts';
import { chooseNetwork, usedAddresses, type LocalNetwork } from '../../cli/up/network.ts';
import { startLine, type Line, type PartName } from '../../cli/up/line.ts';
import { portsFrom, takenPorts, type Ports } from '../../cli/bootstrap/ports.mjs';
import { loadSecrets, type Secrets } from '../../cli/up/secrets.ts';
import { IntentDetail, IntentResource } from '../../core/contract/resources/intents.ts';
import { LogPage } from '../../core/contract/resources/log-pages.ts';
import { ProjectResource } from '../../core/contract/resources/projects.ts';
import type { Control } from '../../sandbox/control/commands.ts';
import { eventually } from './eventually.ts';
import { leftoversOf } from './processes.ts';
import { makeRepository, type TestRepository } from './repository.ts';

export interface HarnessOptions {
  queueUrl?: string | null;
  /** Done to the data folder before anything starts. */
  prepare?: (dataDir: string) => Promise<void>;
  /** Every part finds its programs here first. */
  programs?: string;
}

const IntentList = Type.Object({ intents: Type.Array(IntentResource) });
const ProjectList = Type.Object({ projects: Type.Array(ProjectResource) });

export type Report = Awaited<ReturnType<Control['inspectRepository']>>;

/** Where the ports of tests begin: away from those of a line that somebody uses. */
const firstTestPort = 9700;

/** Tests of several checkouts may run side by side, so each begins to look elsewhere. */
export async function freePorts(): Promise<Ports> {
  const offset = (process.pid % 1_000) * 4;
  for (let tried = 0; tried < 4_000; tried += 4) {
    const ports = portsFrom(firstTestPort + ((offset + tried) % 4_000));
    if ((await takenPorts(ports)).length === 0) return ports;
  }
  throw new Error(`No four free ports in a row from ${firstTestPort} on.`);
}

export class Harness {
  readonly dataDir: string;
  readonly ports: Ports;
  readonly network: LocalNetwork;
  readonly secrets: Secrets;
  /** What the line reported: parts that started, ended and started again. */
  readonly reports: string[] = [];
  readonly #options: HarnessOptions;
  readonly #root: string;
  readonly #ended = new AbortController();
  #line: Line | null = null;

  private constructor(root: string, ports: Ports, options: HarnessOptions) {
    this.#root = root;
    this.#options = options;
    this.dataDir = path.join(root, 'data');
    this.ports = ports;
    this.network = chooseNetwork(ports.server, usedAddresses());
    this.secrets = loadSecrets(this.dataDir);
  }

  static async start(options: HarnessOptions = {}): Promise<Harness> {
    await build((line) => process.stderr.write(`${line}\n`));
    const root = await mkdtemp(path.join(tmpdir(), 'landfall-e2e-'));
    const harness = new Harness(root, await freePorts(), options);
    try {
      await options.prepare?.(harness.dataDir);
      await harness.startLine();
      return harness;
    } catch (error) {
      await rm(root, { recursive: true, force: true });
      throw error;
    }
  }

  get line(): Line {
    if (this.#line === null) throw new Error('The line does not run.');
    return this.#line;
  }

  get sandbox(): Control {
    return this.line.sandbox!.control;
  }

  async startLine(): Promise<void> {
    const { PATH: searched } = process.env;
    const { programs, queueUrl = null } = this.#options;
    if (programs !== undefined) process.env['PATH'] = `${programs}:${searched ?? ''}`;
    try {
      this.#line = await startLine({
        dataDir: this.dataDir,
        ports: this.ports,
        network: this.network,
        queueUrl,
        github: 'sandbox',
        report: (line) => this.reports.push(line),
        signal: this.#ended.signal,
      });
    } finally {
      process.env['PATH'] = searched;
    }
  }

  /** What did not end cleanly, and what is left of it. */
  async stopLine(): Promise<string[]> {
    const failures = await this.line.stop();
    this.#line = null;
    const named = failures.map(({ name, reason }) => `${name} did not end cleanly: ${reason}`);
    return [...named, ...leftoversOf(this.dataDir, this.network.bridge)];
  }

  /** Ends everything. Gives what was left of it, which is nothing when all is well. */
  async end(): Promise<string[]> {
    const left = this.#line === null ? leftoversOf(this.dataDir, this.network.bridge) : await this.stopLine();
    await rm(this.#root, { recursive: true, force: true });
    return left;
  }

  repository(name: string): Promise<TestRepository> {
    return makeRepository(this.sandbox, { name, directory: path.join(this.#root, 'clones', name) });
  }

  get<S extends TSchema>(at: string, answer: S): Promise<Static<S>> {
    return this.line.api.call({ method: 'GET', path: `/api/v1${at}`, answer });
  }

  /** Of this commit, newest first. */
  async intentsOf(sha: string): Promise<IntentResource[]> {
    const { intents } = await this.get('/intents?limit=50', IntentList);
    return intents.filter((intent) => intent.sha === sha);
  }

  /** The newest intent of the commit, once it is as asked; `not` are ids of earlier ones. */
  async intent(sha: string, is: (intent: IntentDetail) => boolean, not: readonly string[] = []): Promise<IntentDetail> {
    let last: IntentDetail | null = null;
    const ask = async (): Promise<IntentDetail | null> => {
      const newest = (await this.intentsOf(sha)).find(({ id }) => !not.includes(id));
      if (newest === undefined) return null;
      last = await this.get(`/intents/${newest.id}`, IntentDetail);
      return is(last) ? last : null;
    };
    return eventually(unlessAway(ask), { what: `the intent of ${sha}`, lastSeen: () => last });
  }

  succeeded(sha: string, not: readonly string[] = []): Promise<IntentDetail> {
    return this.intent(sha, ended, not).then((intent) => expectStatus(intent, 'succeeded'));
  }

  failed(sha: string): Promise<IntentDetail> {
    return this.intent(sha, ended).then((intent) => expectStatus(intent, 'failed'));
  }

  /** The commit is being built, and the build has come to a step that says these words. */
  building(sha: string, words: string): Promise<IntentDetail> {
    return this.intent(sha, () => true).then(async (intent) => {
      const [build] = intent.builds;
      const seen = async (): Promise<true | null> => ((await this.buildLog(build!.id)).includes(words) ? true : null);
      await eventually(unlessAway(seen), { what: `${words} in the log of a build` });
      return intent;
    });
  }

  /** The check run of this commit, once it is completed. */
  async checkRun(repository: TestRepository, sha: string): Promise<Report['checkRuns'][number]> {
    const find = (report: Report) => report.checkRuns.find((run) => run.headSha === sha && run.status === 'completed');
    return find(await this.github(repository, (report) => find(report) !== undefined))!;
  }

  /** What GitHub shows of the repository, once it is as asked. */
  async github(repository: TestRepository, is: (report: Report) => boolean): Promise<Report> {
    let last: Report | null = null;
    const ask = async (): Promise<Report | null> => {
      last = await this.sandbox.inspectRepository({ repositoryId: repository.id });
      return is(last) ? last : null;
    };
    return eventually(ask, { what: `the report of ${repository.fullName}`, lastSeen: () => last });
  }

  async projects(): Promise<ProjectResource[]> {
    return (await this.get('/projects', ProjectList)).projects;
  }

  async buildLog(buildId: string): Promise<string> {
    const { lines } = await this.get(`/builds/${buildId}/log?limit=500`, LogPage);
    return lines.map(({ text }) => text).join('\n');
  }

  /** Rows of the database, which is the truth. */
  async rows<T extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> {
    const password = await this.#databasePassword();
    const client = new pg.Client({
      ...{ host: '127.0.0.1', port: this.ports.database, user: 'landfall', database: 'landfall', password },
    });
    await client.connect();
    try {
      return (await client.query<T>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  async #databasePassword(): Promise<string> {
    return readFile(path.join(this.dataDir, 'postgres.password'), 'utf8');
  }

  /** Kills a part outright, and waits until another process has taken its place. */
  async kill(name: PartName): Promise<void> {
    const pid = this.pidOf(name);
    process.kill(pid, 'SIGKILL');
    await eventually(() => (this.pidOf(name) === pid ? null : true), { what: `another ${name}` });
  }

  pidOf(name: PartName): number {
    const pid = this.line.processes.get(name);
    if (pid === undefined) throw new Error(`${name} does not run.`);
    return pid;
  }
}

/** While the control plane is away there is no answer yet. */
function unlessAway<T>(ask: () => Promise<T | null>): () => Promise<T | null> {
  return async () => {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof UnreachableError || error instanceof RefusedError) return null;
      throw error;
    }
  };
}

export function ended({ status }: { status: string }): boolean {
  return status !== 'active';
}

function expectStatus(intent: IntentDetail, status: IntentDetail['status']): IntentDetail {
  if (intent.status === status) return intent;
  throw new Error(`The intent is ${intent.status}, not ${status}: ${JSON.stringify(intent, null, 1)}`);
}

/** Where the service of this intent answers. */
export function addressOf(intent: IntentDetail): string {
  const [allocation] = intent.rollouts
    .flatMap(({ allocations }) => allocations)
    .filter((one) => one.desired === 'running');
  if (allocation === undefined) throw new Error(`No allocation of ${intent.sha} is to run.`);
  return `http://${allocation.ip}:8080/`;
}

/** The page there; null when nobody answers. */
export async function pageAt(url: string): Promise<string | null> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000), headers: { connection: 'close' } });
    return answer.ok ? await answer.text() : null;
  } catch {
    return null;
  }
}
