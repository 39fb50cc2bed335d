/** `landfall up`: the whole line on this machine, from a real `git push` to a running container. */
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import Type from 'typebox';
import { upEnvironment } from '../../platform/config/up.ts';
import { StalledError } from '../../platform/errors/errors.ts';
import { endAsked } from '../../platform/lifecycle/signals.ts';
import { dataOption } from '../data-option.ts';
import { packageRoot } from '../root.ts';
import { installToolsFor } from '../tools/install.ts';
import { awaitServing, followPush, LandingFailed, type Landing } from './follow.ts';
import { machineFacts, roomFacts, takeBack } from './facts.ts';
import { holdDataDir, wasHeld } from './holder.ts';
import { awaitLeftovers } from './leftovers.ts';
import { startLine, type Line, type LineOptions } from './line.ts';
import { rememberedNetwork, usedAddresses } from './network.ts';
import { defaultFirstPort, portsFrom } from '../bootstrap/ports.mjs';
import { machineObstacle, roomObstacle, type MachineFacts } from '../bootstrap/preflight.mjs';
import {
  commitChange,
  ensureSample,
  hasUnpushed,
  push,
  requireDeployedBranch,
  sampleRepository,
  type Sample,
} from './sample.ts';

interface UpOptions {
  data: string;
  port: number;
  once?: true;
  json?: true;
}

const landWithinMs = 300_000;
const resumeWithinMs = 60_000;

/** Progress goes to standard error, so that standard output holds the result alone. */
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

function insist(sentence: string | null): void {
  if (sentence !== null) throw new StalledError('cannot_start', sentence);
}

async function land(line: Line, sample: Sample, signal: AbortSignal): Promise<Landing> {
  const pushedAt = Date.now();
  const sha = await push(sample);
  say(`pushed ${sha.slice(0, 7)} to ${sample.pageUrl}`);
  return followPush(line.api, {
    sha,
    pushedAt,
    signal,
    onStage: (stage, ms) => say(`  ${stage.padEnd(17)} ${String(ms).padStart(6)} ms`),
  });
}

const LoginLink = Type.Object({ url: Type.String() });

interface Serving {
  /** Null when nothing of it has a port. */
  url: string | null;
  /** The console's page of the push that it came with; null when it came back by itself. */
  page: string | null;
}

/** Where things are, once everything runs. */
interface Running {
  /** Null when nothing serves. */
  url: string | null;
  push: string | null;
  /** Signs in for a day. */
  console: string;
  sandbox: string | null;
}

async function describe(line: Line, serving: Serving | null): Promise<Running> {
  const signIn = await line.api.call({ method: 'POST', path: '/api/v1/login-links', answer: LoginLink });
  const sandbox = line.sandbox === null ? null : `${line.sandbox.url}/${sampleRepository}`;
  return { url: serving?.url ?? null, push: serving?.page ?? null, console: signIn.url, sandbox };
}

function render({ url, push, console, sandbox }: Running, dataDir: string): string {
  const change = `cd ${path.join(dataDir, 'sample')}, change www/index.html, git commit -a, git push`;
  const lines = [
    ...(url === null ? [] : [`It serves:     ${url}`]),
    ...(push === null ? [] : [`This push:     ${push}`]),
    `Console:       ${console}`,
    `Ask it:        ${path.join(packageRoot(), 'cli', 'landfall.mjs')} status --data ${path.resolve(dataDir)}`,
    ...(sandbox === null ? [] : [`Sandbox:       ${sandbox}`, `Try it:        ${change}`]),
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
  await requireDeployedBranch(sample);
  await commitChange(sample, `Landed again on ${new Date().toISOString()}`);
  return land(line, sample, signal);
}

async function stopLine(line: Line): Promise<void> {
  for (const { name, reason } of await line.stop()) say(`${name} did not end cleanly: ${reason}`);
}

/** What was asked for, or what broke: rejects with a sentence, and never resolves. */
async function endOf(line: Line, asked: AbortSignal): Promise<never> {
  const broken = line.broken.then((sentence): never => {
    throw new StalledError('part_failed', sentence);
  });
  return Promise.race([broken, aborted(asked)]);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

async function landInTime(line: Line, options: UpOptions, asked: AbortSignal): Promise<Landing | null> {
  const landing = AbortSignal.any([asked, AbortSignal.timeout(landWithinMs)]);
  try {
    return await Promise.race([firstPush(line, options, landing), endOf(line, asked)]);
  } catch (error) {
    if (!landing.aborted || asked.aborted) throw error;
    throw new LandingFailed(`The push did not land within ${landWithinMs / 60_000} minutes.`);
  }
}

/** After a start that pushed nothing: the sample serves again by itself. Null when it does not within a minute. */
async function resumed(line: Line, asked: AbortSignal): Promise<Serving | null> {
  if (line.sandbox === null) return null;
  const signal = AbortSignal.any([asked, AbortSignal.timeout(resumeWithinMs)]);
  const url = await Promise.race([
    awaitServing(line.api, { repository: sampleRepository, signal }),
    endOf(line, asked),
  ]);
  return url === null ? null : { url, page: null };
}

/** Runs the line until a signal; with `--once` until the push has landed. */
async function run(options: UpOptions, start: LineOptions): Promise<Landing | null> {
  await installToolsFor('up', { report: say, signal: start.signal });
  const line = await startLine(start);
  try {
    const landed = await landInTime(line, options, start.signal);
    const serving = landed ?? (await resumed(line, start.signal));
    const running = await describe(line, serving);
    say(`\n${render(running, start.dataDir)}\n`);
    if (options.json === true && options.once !== true) process.stdout.write(`${JSON.stringify(running)}\n`);
    return options.once === true ? landed : await endOf(line, start.signal);
  } finally {
    await stopLine(line);
  }
}

/** Writes nothing. */
async function insistOnRoom(options: UpOptions, dataDir: string): Promise<Pick<LineOptions, 'ports' | 'network'>> {
  const ports = portsFrom(options.port);
  const network = rememberedNetwork(dataDir, ports.server, usedAddresses());
  insist(roomObstacle(await roomFacts(dataDir, ports, network)));
  return { ports, network };
}

async function prepareAndRun(options: UpOptions, dataDir: string, signal: AbortSignal): Promise<Landing | null> {
  await awaitLeftovers(dataDir, { report: say, signal });
  const room = await insistOnRoom(options, dataDir);
  return run(options, { dataDir, ...room, ...upEnvironment(), report: say, signal });
}

/** Refuses what can be refused before anything is written; of a folder that was used before more is known once it is held. */
async function insistOnStart(options: UpOptions, machine: MachineFacts): Promise<void> {
  insist(machineObstacle(machine));
  if (options.once === true && upEnvironment().github === 'configured')
    throw new StalledError('nothing_to_push', '--once pushes the sample to the sandbox, and GITHUB_APP_ID is set.', {
      hint: 'Unset GITHUB_APP_ID, or leave out --once.',
    });
  if (!wasHeld(machine.dataDir)) await insistOnRoom(options, machine.dataDir);
}

async function up(options: UpOptions): Promise<void> {
  const made: string[] = [];
  try {
    await holdAndRun(options, machineFacts(path.resolve(options.data), made));
  } finally {
    takeBack(made);
  }
  process.exit(0);
}

async function holdAndRun(options: UpOptions, machine: MachineFacts): Promise<void> {
  const { dataDir } = machine;
  const end = new AbortController();
  const asked = endAsked();
  void asked.then((signal) => end.abort(new Error(signal)));
  await insistOnStart(options, machine);
  const claim = await holdDataDir(dataDir);
  insist(machineObstacle({ ...machine, heldBy: claim.kind === 'ours' ? null : claim.holder }));
  try {
    const landed = await prepareAndRun(options, dataDir, end.signal);
    if (landed !== null) printOnce(landed);
  } catch (error) {
    if (!end.signal.aborted) throw error;
    if (options.once === true) throw new StalledError('ended', `Ended by ${await asked} before the push had landed.`);
    say(`${await asked}: ended.`);
  } finally {
    if (claim.kind === 'ours') claim.release();
  }
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
    .addOption(dataOption('where everything is kept'))
    .addOption(
      new Option('--port <number>', 'first of four ports in a row').default(defaultFirstPort).argParser(portNumber),
    )
    .addOption(new Option('--once', 'end after the first success, and print one line of JSON about it'))
    .addOption(new Option('--json', 'print one line of JSON that says where everything is, and failures as JSON too'))
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
