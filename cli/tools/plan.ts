/** Decides how missing tools are to be installed: from what was seen and from facts of the machine, without touching it. */
import { aptCommand } from '../bootstrap/debian.mjs';
import { isFitting, isPresent, type Sightings } from './fit.ts';
import type { HostFacts } from './host.ts';
import type { DebianRoute, GoRoute, Pin, Release, ReleaseRoute } from './pins.ts';
import { describeRange, formatVersion } from './version.ts';

/** A pin that is installed at an exact version. */
export type PinnedExactly = Pin & { version: string };

export type Step =
  | { kind: 'packages'; pins: Pin[]; packages: string[]; services: string[] }
  | { kind: 'download'; pin: PinnedExactly; release: Release; route: ReleaseRoute; otherwise: GoRoute | null }
  | { kind: 'build'; pin: PinnedExactly; route: GoRoute };

export interface InstallPlan {
  steps: Step[];
  /** Sentences that say why some tool cannot be installed here, and what a person can do. With any, no step may run. */
  obstacles: string[];
}

/** Why what lies on PATH will not do; null when nothing of that name lies there. */
function describeUnfit(pin: Pin, sightings: Sightings): string | null {
  for (const program of pin.programs) {
    const [first] = sightings.get(program.name) ?? [];
    if (first === undefined || isFitting(pin, program, first)) continue;
    if (first.version === null) return `${first.path} does not say its version`;
    if (program.linking !== undefined && first.linking !== program.linking)
      return `${first.path} is not statically linked`;
    return `${first.path} is ${formatVersion(first.version)}`;
  }
  return null;
}

const wanted = (pin: Pin): string => `${pin.name} ${describeRange(pin.fits)}`;

function packagesObstacle(pins: readonly Pin[], packages: readonly string[], facts: HostFacts): string | null {
  if (!facts.hasApt)
    return `This machine is neither Debian nor Ubuntu, so these have to come from its own package manager: ${pins.map(wanted).join(', ')}. Install them and run the command again.`;
  if (!facts.isRoot)
    return `Debian packages are missing, and only root may install them. Run this, then the command again:\n\n  ${aptCommand(packages)}\n`;
  return null;
}

type Route = Exclude<Step, { kind: 'packages' }> | { kind: 'debian'; pin: Pin; route: DebianRoute } | { kind: 'none' };

/** One tool's way here: a verified binary, else Debian's package, else its pinned Go module. */
function routeOf(pin: Pin, facts: HostFacts): Route {
  const { version, release, go, debian } = pin;
  const archive = facts.arch === null ? undefined : release?.archives[facts.arch];
  if (version !== null && release !== undefined && archive !== undefined)
    return { kind: 'download', pin: { ...pin, version }, release: archive, route: release, otherwise: go ?? null };
  if (debian !== undefined) return { kind: 'debian', pin, route: debian };
  if (version !== null && go !== undefined && facts.arch !== null)
    return { kind: 'build', pin: { ...pin, version }, route: go };
  return { kind: 'none' };
}

function noRoute(pin: Pin, facts: HostFacts, sightings: Sightings): string {
  const unfit = describeUnfit(pin, sightings);
  const found = unfit === null ? 'is not on PATH' : `is not here at a fitting version (${unfit})`;
  return `${wanted(pin)} ${found}, and nothing is pinned for ${facts.platform} on this processor. Install it yourself and run the command again.`;
}

/** What has to be done so that all of these tools are here. Packages come first, then the rest in the order of the pins. */
export function planInstall(pins: readonly Pin[], sightings: Sightings, facts: HostFacts): InstallPlan {
  const missing = pins.filter((pin) => !isPresent(pin, sightings));
  if (missing.length > 0 && facts.platform !== 'linux')
    return {
      steps: [],
      obstacles: [`Landfall's tools run on Linux, and this is ${facts.platform}. Use a Linux machine or a Linux VM.`],
    };
  const steps: Step[] = [];
  const obstacles: string[] = [];
  const debian: { pin: Pin; route: DebianRoute }[] = [];
  for (const pin of missing) {
    const route = routeOf(pin, facts);
    if (route.kind === 'none') obstacles.push(noRoute(pin, facts, sightings));
    else if (route.kind === 'debian') debian.push(route);
    else steps.push(route);
  }
  if (debian.length > 0) {
    const packages = debian.flatMap(({ route }) => route.packages);
    const obstacle = packagesObstacle(
      debian.map(({ pin }) => pin),
      packages,
      facts,
    );
    if (obstacle !== null) obstacles.push(obstacle);
    const services = debian.flatMap(({ route }) => route.services);
    steps.unshift({ kind: 'packages', pins: debian.map(({ pin }) => pin), packages, services });
  }
  return { steps, obstacles };
}

export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'packages':
      return `Debian packages ${step.packages.join(', ')}`;
    case 'download':
      return `${step.pin.name} ${step.pin.version} from ${new URL(step.release.url).host}`;
    case 'build':
      return `${step.pin.name} ${step.pin.version}, built with Go (about ${duration(step.route.coldSeconds)} on 2 cores)`;
  }
}

function duration(seconds: number): string {
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
