/** The configuration of the control plane: read once from the environment, checked, and handed on. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parsePool, type AddressPools } from '../../core/node/addresses.ts';
import { StalledError } from '../errors/errors.ts';
import { logLevels, type LogLevel } from '../log/log.ts';
import { masterKeySources, type MasterKeySource } from './master-key.ts';

export interface GithubConfig {
  appId: number;
  /** PEM. */
  privateKey: string;
  webhookSecret: string;
  /** Base of the REST API. */
  apiUrl: string;
}

export interface RegistryConfig {
  /** `host:port` as it stands in image names. */
  host: string;
  /** Path below which images are kept, without slashes at its ends; may be empty. */
  path: string;
  /** Plain HTTP. */
  insecure: boolean;
  credentials: { username: string; password: string } | null;
}

export interface BuildConfig {
  cpuMillis: number;
  memoryBytes: number;
  maxLogBytes: number;
}

export interface Config {
  dataDir: string;
  /** Null: PostgreSQL runs from the npm package, in the data folder. */
  databaseUrl: string | null;
  /** Where that one listens, on loopback. */
  embeddedDatabasePort: number;
  /** Null: the database carries the queue. */
  queueUrl: string | null;
  /** Public base URL of console and API, as it stands in links. */
  publicUrl: string;
  listen: { host: string; port: number };
  /** Whether people reach containers by their addresses, so that GitHub may link to them. */
  containerLinks: boolean;
  /** Where GitHub is: for links and clone URLs. */
  githubUrl: string;
  /** Null in a process that holds no GitHub key: the API. */
  github: GithubConfig | null;
  registry: RegistryConfig;
  build: BuildConfig;
  pools: AddressPools;
  /** The first of them encrypts. */
  masterKeys: readonly [MasterKeySource, ...MasterKeySource[]];
  /** Access token that counts for as long as it stands here; null: tokens are made by those who have one. */
  accessToken: string | null;
  logLevel: LogLevel;
}

type Variables = Readonly<Record<string, string | undefined>>;

function wrong(name: string, why: string, hint: string): StalledError {
  return new StalledError('config_invalid', `${name} ${why}.`, { hint });
}

function required(variables: Variables, name: string, hint: string): string {
  const value = variables[name];
  if (value === undefined || value === '') throw wrong(name, 'is not set', hint);
  return value;
}

function optional(variables: Variables, name: string): string | null {
  const value = variables[name];
  return value === undefined || value === '' ? null : value;
}

function url(variables: Variables, name: string, protocols: string[]): URL | null {
  const text = optional(variables, name);
  if (text === null) return null;
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed !== null && protocols.includes(parsed.protocol)) return parsed;
  throw wrong(
    name,
    'is not a URL that can be used',
    `It begins with ${protocols.map((each) => `${each}//`).join(' or ')}.`,
  );
}

interface Range {
  least: number;
  most: number;
  otherwise: number;
}

function integer(variables: Variables, name: string, { least, most, otherwise }: Range): number {
  const text = optional(variables, name);
  if (text === null) return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw wrong(name, `is ${JSON.stringify(text)}`, `It is a whole number from ${least} to ${most}.`);
}

function readPrivateKey(variables: Variables): string {
  const file = optional(variables, 'GITHUB_PRIVATE_KEY_FILE');
  const hint = 'Download a key on the settings page of the GitHub App and name its file in GITHUB_PRIVATE_KEY_FILE.';
  if (file === null) return required(variables, 'GITHUB_PRIVATE_KEY', hint).replaceAll('\\n', '\n');
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw wrong('GITHUB_PRIVATE_KEY_FILE', `names a file that cannot be read (${code}): ${file}`, hint);
  }
}

function withoutSlash(text: string): string {
  return text.replace(/\/+$/, '');
}

function githubConfig(variables: Variables): GithubConfig {
  const secretHint =
    'Set the same secret here and on the settings page of the GitHub App. Without one, anyone could post webhooks.';
  return {
    appId:
      integer(variables, 'GITHUB_APP_ID', { least: 1, most: Number.MAX_SAFE_INTEGER, otherwise: 0 }) || missingAppId(),
    privateKey: readPrivateKey(variables),
    webhookSecret: required(variables, 'GITHUB_WEBHOOK_SECRET', secretHint),
    apiUrl: withoutSlash(url(variables, 'GITHUB_API_URL', ['https:', 'http:'])?.href ?? 'https://api.github.com'),
  };
}

function missingAppId(): never {
  throw wrong(
    'GITHUB_APP_ID',
    'is not set',
    'It stands on the settings page of the GitHub App. docs/github-app.md shows the way.',
  );
}

function registryConfig(variables: Variables): RegistryConfig {
  const hint = 'For example https://registry.example.com/landfall, or http://127.0.0.1:5000 for one on this machine.';
  const base = url(variables, 'REGISTRY_URL', ['https:', 'http:']);
  if (base === null) throw wrong('REGISTRY_URL', 'is not set', hint);
  const username = optional(variables, 'REGISTRY_USERNAME');
  const password = optional(variables, 'REGISTRY_PASSWORD');
  if ((username === null) !== (password === null))
    throw wrong('REGISTRY_USERNAME', 'and REGISTRY_PASSWORD go together, and one is missing', 'Set both, or neither.');
  return {
    host: base.host,
    path: base.pathname.replaceAll(/^\/+|\/+$/g, ''),
    insecure: base.protocol === 'http:',
    credentials: username === null || password === null ? null : { username, password },
  };
}

function pool(variables: Variables, name: string, otherwise: string): string {
  const text = optional(variables, name) ?? otherwise;
  try {
    parsePool(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw wrong(name, `is ${JSON.stringify(text)}`, error.message);
  }
  return text;
}

/** Off unless it is on. */
function isOn(variables: Variables, name: string): boolean {
  const text = optional(variables, name) ?? 'off';
  if (text !== 'on' && text !== 'off') throw wrong(name, `is ${JSON.stringify(text)}`, 'It is on or off.');
  return text === 'on';
}

function logLevel(variables: Variables): LogLevel {
  const text = optional(variables, 'LOG_LEVEL') ?? 'info';
  const level = logLevels.find((each) => each === text);
  if (level === undefined)
    throw wrong('LOG_LEVEL', `is ${JSON.stringify(text)}`, `It is one of ${logLevels.join(', ')}.`);
  return level;
}

/** What a header carries as a bearer token (RFC 6750). */
const bearerToken = /^[A-Za-z0-9._~+/-]+=*$/;

/** Whoever guesses it may do everything. */
const shortestToken = 20;

function accessToken(variables: Variables): string | null {
  const name = 'LANDFALL_ACCESS_TOKEN';
  const advice = 'Make one with: openssl rand -hex 24.';
  const token = optional(variables, name);
  if (token === null) return null;
  if (!bearerToken.test(token)) throw wrong(name, 'has characters that no header carries', advice);
  if (token.length < shortestToken) throw wrong(name, `is shorter than ${shortestToken} characters`, advice);
  return token;
}

const gibibyte = 1024 ** 3;

/**
 * Throws StalledError that names the variable, what is wrong with it and what to do. No text of an error holds a secret.
 * @param variables The process's environment, unless a test gives another.
 * @param holds What this process is trusted with: only bot and worker read the GitHub App's key.
 */
export function loadConfig(
  variables: Variables = process.env,
  holds: { githubKey: boolean } = { githubKey: true },
): Config {
  const dataDir = path.resolve(optional(variables, 'LANDFALL_DATA') ?? '.landfall');
  const port = integer(variables, 'LANDFALL_PORT', { least: 0, most: 65_535, otherwise: 7780 });
  const host = optional(variables, 'LANDFALL_HOST') ?? '127.0.0.1';
  return {
    dataDir,
    databaseUrl: url(variables, 'DATABASE_URL', ['postgres:', 'postgresql:'])?.href ?? null,
    embeddedDatabasePort: integer(variables, 'LANDFALL_DATABASE_PORT', { least: 0, most: 65_535, otherwise: 7783 }),
    queueUrl: url(variables, 'QUEUE_URL', ['postgres:', 'postgresql:', 'redis:', 'rediss:'])?.href ?? null,
    publicUrl: withoutSlash(url(variables, 'LANDFALL_URL', ['https:', 'http:'])?.href ?? `http://127.0.0.1:${port}`),
    listen: { host, port },
    containerLinks: isOn(variables, 'LANDFALL_CONTAINER_LINKS'),
    githubUrl: withoutSlash(url(variables, 'GITHUB_URL', ['https:', 'http:'])?.href ?? 'https://github.com'),
    github: holds.githubKey ? githubConfig(variables) : null,
    registry: registryConfig(variables),
    build: {
      cpuMillis: integer(variables, 'BUILD_CPU_MILLIS', { least: 100, most: 1_024_000, otherwise: 2_000 }),
      memoryBytes: integer(variables, 'BUILD_MEMORY_BYTES', {
        least: 64 * 1024 ** 2,
        most: 4_096 * gibibyte,
        otherwise: 2 * gibibyte,
      }),
      maxLogBytes: integer(variables, 'BUILD_MAX_LOG_BYTES', { least: 65_536, most: gibibyte, otherwise: 10_000_000 }),
    },
    pools: {
      containers: pool(variables, 'CONTAINER_POOL', '10.200.0.0/16'),
      wireguard: pool(variables, 'WIREGUARD_POOL', '10.100.0.0/16'),
    },
    masterKeys: masterKeySources((name) => optional(variables, name), dataDir),
    accessToken: accessToken(variables),
    logLevel: logLevel(variables),
  };
}
