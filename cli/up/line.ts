/** Starts a whole local Landfall: registry, sandbox GitHub, control plane and one agent, each a process of its own. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Type from 'typebox';
import { Check } from 'typebox/value';
import { NodeRegistration, NodeResource } from '../../core/contract/resources/nodes.ts';
import { toolsEnvironment } from '../../platform/config/tools.ts';
import { partVariables } from '../../platform/config/up.ts';
import { agentFlags, serverFlags } from '../../platform/lifecycle/node-flags.ts';
import { Releasers, type ReleaseFailure } from '../../platform/lifecycle/releasers.ts';
import type { Control } from '../../sandbox/control/commands.ts';
import { connectSandbox } from '../../sandbox/control/client.ts';
import { apiClient, type ApiClient, type Connection } from '../client.ts';
import { writeConnection } from '../connection.ts';
import { packageRoot } from '../root.ts';
import { resolveTool } from '../tools/resolve.ts';
import { endDatabase, forgetProcesses, writeDownProcesses } from './leftovers.ts';
import { rememberNetwork, type LocalNetwork } from './network.ts';
import { startPart, type Part, type PartSpec } from './part.ts';
import type { Ports } from '../bootstrap/ports.mjs';
import { registryUser, writeRegistryFiles } from './registry.ts';
import { loadSecrets, type Secrets } from './secrets.ts';

export interface LineOptions {
  dataDir: string;
  ports: Ports;
  network: LocalNetwork;
  /** Null: the database carries the queue. */
  queueUrl: string | null;
  /** Whether GitHub is the one that the environment configures, or the sandbox. */
  github: 'configured' | 'sandbox';
  /** Told of each part that starts, and of each that ended and is started again. */
  report: (line: string) => void;
  /** Ends the start, and what was started by then. */
  signal: AbortSignal;
}

export type PartName = 'registry' | 'sandbox' | 'server' | 'agent';

export interface Line {
  connection: Connection;
  api: ApiClient;
  sandbox: { url: string; control: Control } | null;
  /** Process ids by name: for measurements, and for tests that kill. A part that is started again gets a new one. */
  processes: ReadonlyMap<PartName, number>;
  /** Settles when a part ends again and again. */
  broken: Promise<string>;
  stop(): Promise<ReleaseFailure[]>;
}

type Variables = Record<string, string>;

const localNode = 'local';
const appId = 1;

/** All that the environment configures. */
function inherited(): Variables {
  const entries = Object.entries(toolsEnvironment().variables);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function dist(name: string): string {
  const file = path.join(packageRoot(), 'dist', `${name}.js`);
  if (existsSync(file)) return file;
  throw new Error(`${file} is missing. Run: npm run build`);
}

function serverVariables({ dataDir, ports, network, queueUrl, github }: LineOptions, secrets: Secrets): Variables {
  const sandboxUrl = `http://127.0.0.1:${ports.sandbox}`;
  const keyFile = path.join(dataDir, 'github-app.pem');
  if (github === 'sandbox') writeFileSync(keyFile, secrets.appPrivateKey, { mode: 0o600 });
  return {
    LOG_LEVEL: 'info',
    ...inherited(),
    NODE_ENV: 'production',
    LANDFALL_DATA: dataDir,
    LANDFALL_PORT: String(ports.server),
    LANDFALL_DATABASE_PORT: String(ports.database),
    LANDFALL_ACCESS_TOKEN: secrets.accessToken,
    CONTAINER_POOL: network.pool,
    REGISTRY_URL: `http://127.0.0.1:${ports.registry}`,
    REGISTRY_USERNAME: registryUser,
    REGISTRY_PASSWORD: secrets.registryPassword,
    ...(queueUrl === null ? {} : { QUEUE_URL: queueUrl }),
    ...(github === 'sandbox'
      ? {
          GITHUB_APP_ID: String(appId),
          GITHUB_PRIVATE_KEY_FILE: keyFile,
          GITHUB_WEBHOOK_SECRET: secrets.webhookSecret,
          GITHUB_API_URL: `${sandboxUrl}/api/v3`,
          GITHUB_URL: sandboxUrl,
          // Whoever sees the sandbox's page is on this machine, and reaches its containers.
          LANDFALL_CONTAINER_LINKS: 'on',
        }
      : {}),
  };
}

/** Beside the bridge's name: a server that runs an agent may try `up`, too. */
function wireguardOf({ bridge }: LocalNetwork): string {
  return bridge.replace('landfall', 'lfwg');
}

function sayReady(line: string): boolean {
  return line.startsWith('{"ready":true');
}

class Starter {
  readonly releasers = new Releasers(30_000);
  readonly processes = new Map<PartName, number>();
  readonly broken: Promise<string>;
  readonly options: LineOptions;
  readonly secrets: Secrets;
  /** Of the sandbox's control API: for as long as this line runs. */
  readonly controlToken = randomBytes(24).toString('base64url');
  readonly #failed = new AbortController();
  readonly #signal: AbortSignal;
  #breaks: (sentence: string) => void = () => undefined;
  #written: Promise<void> = Promise.resolve();
  #agent: Part | null = null;
  readonly #agentData: string;

  constructor(options: LineOptions) {
    this.options = options;
    this.#agentData = path.join(options.dataDir, 'agent');
    this.#signal = AbortSignal.any([options.signal, this.#failed.signal]);
    this.secrets = loadSecrets(options.dataDir);
    this.broken = new Promise((resolve) => (this.#breaks = resolve));
    this.releasers.defer('database', () => endDatabase(options.dataDir));
  }

  async #part(spec: Omit<PartSpec, 'logDir' | 'report' | 'onSpawn'> & { name: PartName }): Promise<Part> {
    const { dataDir, report } = this.options;
    const onSpawn = async (pid: number): Promise<void> => {
      this.processes.set(spec.name, pid);
      this.#written = this.#written.then(() => writeDownProcesses(dataDir, this.processes.values()));
      await this.#written;
    };
    const part = await startPart({ ...spec, logDir: path.join(dataDir, 'logs'), report, onSpawn }, this.#signal);
    this.releasers.defer(spec.name, () => part.stop());
    void part.broken.then(this.#breaks);
    return part;
  }

  /** Starts these side by side. Rejects with the first failure, when the others have ended too. */
  async together(starts: Promise<void>[]): Promise<void> {
    await Promise.allSettled(starts.map((start) => start.catch((error: unknown) => this.#failed.abort(error))));
    this.#signal.throwIfAborted();
  }

  async registry(): Promise<void> {
    const { dataDir, ports } = this.options;
    const config = writeRegistryFiles(path.join(dataDir, 'registry'), {
      port: ports.registry,
      password: this.secrets.registryPassword,
    });
    const { path: program } = await resolveTool('docker-registry');
    const pair = Buffer.from(`${registryUser}:${this.secrets.registryPassword}`).toString('base64');
    const credentials = { authorization: `Basic ${pair}` };
    await this.#part({
      name: 'registry',
      argv: [program, 'serve', config],
      env: partVariables(),
      readyWithinMs: 20_000,
      stopWithinMs: 5_000,
      ready: { kind: 'asked', ask: () => answers(`http://127.0.0.1:${ports.registry}/v2/`, credentials) },
    });
  }

  async sandbox(): Promise<void> {
    const { dataDir, ports } = this.options;
    const configFile = path.join(dataDir, 'sandbox.json');
    const config = {
      port: ports.sandbox,
      dataDir: path.join(dataDir, 'sandbox'),
      app: { id: appId, slug: 'landfall', privateKeyPublicPem: this.secrets.appPublicKey },
      webhookUrl: `http://127.0.0.1:${ports.server}/webhooks/github`,
      webhookSecret: this.secrets.webhookSecret,
      controlToken: this.controlToken,
    };
    writeFileSync(configFile, JSON.stringify(config), { mode: 0o600 });
    await this.#part({
      name: 'sandbox',
      argv: [process.execPath, dist('sandbox'), configFile],
      env: partVariables(),
      readyWithinMs: 20_000,
      stopWithinMs: 5_000,
      ready: { kind: 'line', is: sayReady },
    });
  }

  async server(): Promise<void> {
    await this.#part({
      name: 'server',
      argv: [process.execPath, ...serverFlags, dist('server')],
      env: serverVariables(this.options, this.secrets),
      readyWithinMs: 60_000,
      stopWithinMs: 20_000,
      ready: { kind: 'line', is: sayReady },
    });
  }

  /** One that was a node before starts beside the server, with what was expected of it then. */
  async knownAgent(connection: Connection): Promise<void> {
    if (registeredNode(this.#agentData) !== null) this.#agent = await this.#startAgent(connection, null);
  }

  /** Once the server answers: an agent that is no node of it, or not any more, becomes one. */
  async registeredAgent(connection: Connection): Promise<void> {
    const token = await registrationToken(this.#agentData, apiClient(connection));
    if (token === null) return;
    await this.#agent?.stop();
    this.#agent = await this.#startAgent(connection, token);
  }

  async #startAgent(connection: Connection, token: string | null): Promise<Part> {
    const data = this.#agentData;
    const { path: buildkitd } = await resolveTool('buildkitd');
    return this.#part({
      name: 'agent',
      argv: [
        process.execPath,
        ...agentFlags,
        dist('agent'),
        ...['--url', connection.url, '--data', data, '--buildkitd', buildkitd, '--ephemeral'],
        ...['--bridge', this.options.network.bridge, '--wireguard', wireguardOf(this.options.network)],
        ...(token === null ? [] : ['--token', token]),
      ],
      env: partVariables(),
      readyWithinMs: 60_000,
      stopWithinMs: 25_000,
      ready: { kind: 'line', is: sayReady },
    });
  }

  async stop(): Promise<ReleaseFailure[]> {
    const failures = await this.releasers.releaseAll();
    if (failures.length === 0) forgetProcesses(this.options.dataDir);
    return failures;
  }
}

/** As one that takes these credentials, and not as another program that was quicker to take the port. */
async function answers(url: string, headers: Record<string, string>): Promise<boolean> {
  try {
    return (await fetch(url, { headers, signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}

const Nodes = Type.Object({ nodes: Type.Array(NodeResource) });

/** Null when this agent is a node; one that was removed, and one whose identity was lost, registers anew. */
async function registrationToken(agentData: string, api: ApiClient): Promise<string | null> {
  const { nodes } = await api.call({ method: 'GET', path: '/api/v1/nodes', answer: Nodes });
  const own = registeredNode(agentData);
  if (nodes.some(({ id }) => id === own)) return null;
  const name = freeName(new Set(nodes.map((node) => node.name)));
  const body = { name, kind: 'worker' };
  return (await api.call({ method: 'POST', path: '/api/v1/nodes', body, answer: NodeRegistration })).token;
}

const Registered = Type.Object({ registration: Type.Object({ node: Type.Object({ nodeId: Type.String() }) }) });

function registeredNode(agentData: string): string | null {
  const file = path.join(agentData, 'identity.json');
  if (!existsSync(file)) return null;
  const identity: unknown = JSON.parse(readFileSync(file, 'utf8'));
  return Check(Registered, identity) ? identity.registration.node.nodeId : null;
}

/** `local`, unless a node has that name whose identity is not here. */
function freeName(taken: ReadonlySet<string>): string {
  let name = localNode;
  for (let number = 2; taken.has(name); number += 1) name = `${localNode}-${number}`;
  return name;
}

/** Rejects with what stands in the way, after ending what was started. */
export async function startLine(options: LineOptions): Promise<Line> {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  rememberNetwork(options.dataDir, options.network);
  const starter = new Starter(options);
  const connection = { url: `http://127.0.0.1:${options.ports.server}`, token: starter.secrets.accessToken };
  try {
    const isSandbox = options.github === 'sandbox';
    const first = [starter.registry(), starter.server(), ...(isSandbox ? [starter.sandbox()] : [])];
    await starter.together([...first, starter.knownAgent(connection)]);
    writeConnection(options.dataDir, connection);
    await starter.registeredAgent(connection);
    const sandboxUrl = `http://127.0.0.1:${options.ports.sandbox}`;
    return {
      connection,
      api: apiClient(connection),
      sandbox: isSandbox
        ? { url: sandboxUrl, control: connectSandbox({ url: sandboxUrl, token: starter.controlToken }) }
        : null,
      processes: starter.processes,
      broken: starter.broken,
      stop: () => starter.stop(),
    };
  } catch (error) {
    await starter.stop();
    throw error;
  }
}
