/** Carries one step of an install plan out: what it fetched or built is checked before it counts. */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { StalledError } from '../../platform/errors/errors.ts';
import { packageRoot } from '../root.ts';
import { entryDirectory, fillOnce } from './cache.ts';
import { runToEnd } from './command-line.ts';
import { installPackages } from './debian.ts';
import { downloadVerified, ReleaseUnreachable, type DownloadLimits } from './download.ts';
import { choose } from './fit.ts';
import { buildGoTool } from './golang.ts';
import type { ToolsHost } from './host.ts';
import { findPin, type GoRoute, type Pin, type Release, type ReleaseRoute } from './pins.ts';
import { describeStep, planInstall, type PinnedExactly, type Step } from './plan.ts';
import { askVersion, sightAll } from './sighting.ts';
import { describeRange, fits, formatVersion } from './version.ts';

export interface InstallerOptions {
  host: ToolsHost;
  /** One line of progress, for a person. */
  report: (line: string) => void;
  signal: AbortSignal;
  limits?: DownloadLimits;
}

const heartbeatMs = 20_000;

export class Installer {
  readonly #options: InstallerOptions;
  #go: Promise<string> | undefined;

  constructor(options: InstallerOptions) {
    this.#options = options;
  }

  async run(step: Step): Promise<void> {
    const { report } = this.#options;
    const startedAt = performance.now();
    const seconds = (): string => `${Math.round((performance.now() - startedAt) / 1000)} s`;
    report(`installing ${describeStep(step)}`);
    const name = step.kind === 'packages' ? 'Debian packages' : step.pin.name;
    const heartbeat = setInterval(() => report(`  ${name}: still at it, ${seconds()}`), heartbeatMs);
    try {
      await this.#carryOut(step);
    } finally {
      clearInterval(heartbeat);
    }
    report(`  ${name}: ready after ${seconds()}`);
  }

  #carryOut(step: Step): Promise<void> {
    const { host } = this.#options;
    switch (step.kind) {
      case 'packages':
        return installPackages({
          packages: step.packages,
          services: step.services,
          environment: host.environment,
        });
      case 'download':
        return this.#fill(step.pin, (stage) => this.#download(step, stage));
      case 'build':
        return this.#fill(step.pin, (stage) => this.#build(step.pin, step.route, stage));
    }
  }

  async #fill(pin: PinnedExactly, fill: (stage: string) => Promise<void>): Promise<void> {
    const { host, report, signal } = this.#options;
    const { arch } = host.facts;
    if (arch === null) throw new Error(`${pin.name} was planned for a processor without pins`);
    const entry = entryDirectory(host.environment.cacheDir, pin.name, pin.version, arch);
    const fillAndCheck = async (stage: string): Promise<void> => {
      await fill(stage);
      const unfit = await this.#unfit(pin, stage);
      if (unfit !== null) throw new StalledError('tool_unfit', unfit);
    };
    const isFilled = async (directory: string): Promise<boolean> => (await this.#unfit(pin, directory)) === null;
    const onWait = (pid: number | null): void =>
      report(
        `  ${pin.name}: waiting for ${pid === null ? 'another process' : `process ${pid}`}, which is installing it`,
      );
    await fillOnce(entry, fillAndCheck, { isFilled, onWait, signal });
  }

  async #download(step: Extract<Step, { kind: 'download' }>, stage: string): Promise<void> {
    try {
      await this.#unpack(step.release, step.route, stage);
    } catch (error) {
      if (!(error instanceof ReleaseUnreachable) || step.otherwise === null) throw error;
      this.#options.report(
        `  ${error.message}; building it instead (about ${step.otherwise.coldSeconds} s on 2 cores)`,
      );
      await this.#build(step.pin, step.otherwise, stage);
    }
  }

  async #unpack(release: Release, route: ReleaseRoute, stage: string): Promise<void> {
    const { host, limits, signal } = this.#options;
    const archive = path.join(stage, 'archive.tar.gz');
    await downloadVerified(release, archive, { ...(limits && { limits }), signal });
    const strip = `--strip-components=${route.strip}`;
    const argv = [
      'tar',
      '-xzf',
      archive,
      '-C',
      stage,
      '--no-same-owner',
      '--no-same-permissions',
      strip,
      ...route.members,
    ] as const;
    await runToEnd({ argv: [...argv], env: host.environment.variables, signal });
    await rm(archive);
  }

  async #build(pin: PinnedExactly, route: GoRoute, stage: string): Promise<void> {
    const { host, signal } = this.#options;
    this.#go ??= this.#ensureGo();
    const go = await this.#go;
    const output = path.join(stage, 'bin');
    await mkdir(output, { recursive: true });
    const module = path.join(packageRoot(), 'cli', 'tools', 'go', pin.name);
    await buildGoTool({ name: pin.name, route, go, module, output, environment: host.environment, signal });
  }

  /** What is wrong with the tool in this folder, as a sentence; null when every program says a version that fits. */
  async #unfit(pin: PinnedExactly, directory: string): Promise<string | null> {
    for (const program of pin.programs) {
      const file = path.join(directory, 'bin', program.name);
      const version = await askVersion(file, program, this.#options.host.environment.variables);
      if (version !== null && fits(version, pin.fits)) continue;
      const said = version === null ? 'does not say its version' : `says it is ${formatVersion(version)}`;
      return `${program.name} was installed and ${said}; ${describeRange(pin.fits)} is needed.`;
    }
    return null;
  }

  /** Go on PATH or in the cache, else its verified release. */
  async #ensureGo(): Promise<string> {
    const { host } = this.#options;
    const pin = goPin();
    const [step] = planInstall([pin], await sightAll([pin], host), host.facts).steps;
    try {
      if (step !== undefined) await this.run(step);
    } catch (error) {
      throw error instanceof ReleaseUnreachable ? goMissing(pin, error) : error;
    }
    const chosen = choose(pin, pin.programs[0], await sightAll([pin], host));
    if (chosen === null) throw goMissing(pin);
    return chosen.path;
  }
}

function goPin(): Pin {
  const pin = findPin('go');
  if (pin === null) throw new Error('Go is not among the pins');
  return pin;
}

function goMissing(pin: Pin, cause?: ReleaseUnreachable): StalledError {
  const tried = cause === undefined ? 'nothing is pinned for this processor' : cause.message;
  return new StalledError(
    'tool_go_missing',
    `Go ${describeRange(pin.fits)} is needed to build tools that have no binary here. It is not on PATH, and ${tried}.`,
    {
      hint: `Install Go ${pin.version ?? ''} (https://go.dev/doc/install), see that go is on PATH, and run the command again.`,
      cause,
    },
  );
}
