/** Installs what is missing of the external programs: packages beside downloads and builds, each tool once. */
import { StalledError } from '../../platform/errors/errors.ts';
import type { DownloadLimits } from './download.ts';
import { isPresent } from './fit.ts';
import { thisHost, type ToolsHost } from './host.ts';
import { Installer } from './installer.ts';
import { pinsFor, type Need, type Pin } from './pins.ts';
import { planInstall, type Step } from './plan.ts';
import { sightAll } from './sighting.ts';
import { describeRange } from './version.ts';

export interface InstallRequest {
  pins: readonly Pin[];
  host: ToolsHost;
  /** One line of progress, for a person. */
  report: (line: string) => void;
  signal?: AbortSignal;
  limits?: DownloadLimits;
}

/** Go uses every processor by itself; a second build beside it fills the gaps while one links, if memory allows. */
function parallelBuilds({ facts }: ToolsHost): number {
  return facts.memoryBytes >= 6 * 1024 ** 3 && facts.processors > 1 ? 2 : 1;
}

type Task = () => Promise<void>;

/** Runs the lanes side by side, each lane's tasks in order. The first failure aborts the others, and is thrown when they have ended. */
async function runLanes(lanes: readonly Iterable<Task>[], failed: AbortController): Promise<void> {
  const runLane = async (lane: Iterable<Task>): Promise<void> => {
    for (const task of lane) {
      failed.signal.throwIfAborted();
      await task();
    }
  };
  await Promise.all(lanes.map((lane) => runLane(lane).catch((error: unknown) => failed.abort(error))));
  failed.signal.throwIfAborted();
}

/** Hands the same tasks out to several lanes: whichever lane is free takes the next. */
function* sharedBy(waiting: Task[]): Generator<Task> {
  for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) yield task;
}

/**
 * Installs what is missing of these tools; returns at once when nothing is.
 * @throws StalledError `tool_obstacle` when something cannot be installed here, before anything is touched.
 */
export async function installTools(request: InstallRequest): Promise<void> {
  const { pins, host } = request;
  const plan = planInstall(pins, await sightAll(pins, host), host.facts);
  if (plan.obstacles.length > 0) throw new StalledError('tool_obstacle', plan.obstacles.join('\n'));
  if (plan.steps.length === 0) return;
  const failed = new AbortController();
  const signal = request.signal === undefined ? failed.signal : AbortSignal.any([request.signal, failed.signal]);
  const installer = new Installer({ ...request, signal });
  const tasksOf = (steps: readonly Step[]): Task[] => steps.map((step) => () => installer.run(step));
  const packages = tasksOf(plan.steps.filter((step) => step.kind === 'packages'));
  const others = tasksOf(plan.steps.filter((step) => step.kind !== 'packages'));
  const buildLanes = Array.from({ length: parallelBuilds(host) }, () => sharedBy(others));
  await runLanes([packages, ...buildLanes], failed);
  const after = await sightAll(pins, host);
  const unfit = pins.filter((pin) => !isPresent(pin, after));
  if (unfit.length > 0) throw stillMissing(unfit);
}

function stillMissing(unfit: readonly Pin[]): StalledError {
  const wanted = unfit.map((pin) => `${pin.name} ${describeRange(pin.fits)}`).join(', ');
  return new StalledError(
    'tool_unfit',
    `Everything was installed, and these still are not here at a version that fits: ${wanted}. This distribution's packages are too old or too new.`,
    { hint: 'Use Debian 12 or later, or Ubuntu 24.04 or later, or install those versions yourself.' },
  );
}

/** Installs what is missing for one purpose on this machine. */
export function installToolsFor(need: Need, options: Pick<InstallRequest, 'report' | 'signal'>): Promise<void> {
  return installTools({ ...options, pins: pinsFor(need), host: thisHost() });
}
