/** `landfall up`: the whole line on this machine, from a real `git push` to a running container. */
import { accessSync, constants, mkdirSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import Type from 'typebox';
import { upEnvironment } from '../../platform/config/up.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { endAsked } from '../../platform/lifecycle/signals.ts';
import { installToolsFor } from '../tools/install.ts';
import { followPush, LandingFailed, type Landing } from './follow.ts';
import { holdDataDir, holderOf } from './holder.ts';
import { startLine, type Line } from './line.ts';
import { defaultFirstPort, portsFrom, takenPorts, type Ports } from './ports.ts';
import { obstacle } from './preflight.ts';
import { commitChange, ensureSample, hasUnpushed, push, type Sample } from './sample.ts';

interface UpOptions {
  data: string;
  port: number;
  once?: true;
}

/** The port of the sample's landfall.yml. */
const samplePort = 8080;
const landWithinMs = 300_000;

/** Progress goes to standard error, so that standard output holds the result alone. */
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

function isWritable(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

async function preflight(dataDir: string, ports: Ports): Promise<void> {
  const dataWritable = isWritable(dataDir);
  const { bavail, bsize } = statfsSync(dataWritable ? dataDir : '/');
  const sentence = obstacle({
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    dataDir,
    dataWritable,
    freeBytes: bavail * bsize,
    heldBy: dataWritable ? holderOf(dataDir) : null,
    takenPorts: await takenPorts(ports),
  });
  if (sentence !== null) throw new StalledError('cannot_start', sentence);
}

async function land(line: Line, sample: Sample, signal: AbortSignal): Promise<Landing> {
  const pushedAt = Date.now();
  const sha = await push(sample);
  say(`pushed ${sha.slice(0, 7)} to ${sample.pageUrl}`);
  return followPush(line.api, {
    sha,
    pushedAt,
    port: samplePort,
    signal,
    onStage: (stage, ms) => say(`  ${stage.padEnd(17)} ${String(ms).padStart(6)} ms`),
  });
}

const LoginLink = Type.Object({ url: Type.String() });

async function describe(line: Line, dataDir: string, landing: Landing | null): Promise<string> {
  const signIn = await line.api.call({ method: 'POST', path: '/api/v1/login-links', answer: LoginLink });
  const lines = [
    ...(landing === null ? [] : [`It serves:     ${landing.url}`, `This push:     ${landing.page}`]),
    `Console:       ${signIn.url}`,
    ...(line.sandbox === null ? [] : [`Sandbox:       ${line.sandbox.url}/landfall/sample`]),
    ...(line.sandbox === null
      ? []
      : [`Try it:        cd ${path.join(dataDir, 'sample')}, change www/index.html, git commit -a, git push`]),
    'Ctrl-C ends everything; the data stays.',
  ];
  return lines.join('\n');
}

/** The first start pushes the sample; `--once` always has something to push; else the services come back by themselves. */
async function firstPush(line: Line, options: UpOptions, signal: AbortSignal): Promise<Landing | null> {
  if (line.sandbox === null) return null;
  const sample = await ensureSample(line.sandbox.control, path.resolve(options.data, 'sample'));
  if (await hasUnpushed(sample)) return land(line, sample, signal);
  if (options.once !== true) return null;
  await commitChange(sample, `Landed again on ${new Date().toISOString()}`);
  return land(line, sample, signal);
}

async function stopLine(line: Line): Promise<void> {
  for (const { name, reason } of await line.stop()) say(`${name} did not end cleanly: ${reason}`);
}

/** Rejects when a part breaks or somebody asks for the end before `work` is done. */
async function unlessEnded<T>(work: Promise<T>, ended: Promise<string>): Promise<T> {
  return Promise.race([
    work,
    ended.then((sentence): never => {
      throw new StalledError('ended', sentence);
    }),
  ]);
}

async function up(options: UpOptions): Promise<void> {
  const dataDir = path.resolve(options.data);
  const ports = portsFrom(options.port);
  const asked = endAsked();
  await preflight(dataDir, ports);
  const release = holdDataDir(dataDir);
  const landing = new AbortController();
  try {
    await installToolsFor('up', { report: say, signal: landing.signal });
    const line = await startLine({ dataDir, ports, ...upEnvironment(), report: say });
    try {
      const ended = Promise.race([line.broken, asked.then((signal) => `Ended by ${signal}.`)]);
      const timer = setTimeout(() => landing.abort(new LandingFailed('The push did not land in time.')), landWithinMs);
      const landed = await unlessEnded(firstPush(line, options, landing.signal), ended);
      clearTimeout(timer);
      say(`\n${await describe(line, dataDir, landed)}\n`);
      if (options.once !== true) say(await ended);
      await stopLine(line);
      if (options.once === true && landed !== null) printOnce(landed);
    } finally {
      landing.abort();
      await stopLine(line);
    }
  } finally {
    release();
  }
  process.exit(0);
}

function printOnce({ url, sha, digest, stages, total_ms }: Landing): void {
  process.stdout.write(`${JSON.stringify({ url, sha, digest, stages, total_ms })}\n`);
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1024 || port > 65_532)
    throw new InvalidArgumentError('It is a number from 1024 to 65532; four ports from there on are used.');
  return port;
}

export function upCommand(): Command {
  return new Command('up')
    .description(
      'run the whole line on this machine: control plane, registry, agent and, without a GitHub App, a sandbox GitHub',
    )
    .addOption(new Option('--data <dir>', 'where everything is kept').default('.landfall'))
    .addOption(
      new Option('--port <number>', 'first of four ports in a row').default(defaultFirstPort).argParser(portNumber),
    )
    .addOption(new Option('--once', 'end after the first success, and print one line of JSON about it'))
    .addHelpText(
      'after',
      `
It pushes a sample repository with git, shows each stage, and keeps running until Ctrl-C.
A GitHub App is used when GITHUB_APP_ID is set (docs/github-app.md).

Examples:
  landfall up
  landfall up --once | tail -1 | jq .total_ms
  landfall up --data /srv/landfall --port 9000`,
    )
    .action(up);
}
