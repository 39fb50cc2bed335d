/** Installs Debian packages without letting their services start: Landfall starts its own, on its own ports. */
import { mkdir, rm, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { StalledError } from '../../platform/errors/errors.ts';
import type { ToolsEnvironment } from '../../platform/config/tools.ts';
import { CommandFailed, runToEnd, type CommandLine } from './command-line.ts';

export interface AptRequest {
  packages: readonly string[];
  services: readonly string[];
  environment: ToolsEnvironment;
}

const apt = (...args: string[]): CommandLine['argv'] => ['apt-get', '-o', 'DPkg::Lock::Timeout=300', ...args];
const runtimeUnits = '/run/systemd/system';

async function isSystemdRunning(): Promise<boolean> {
  try {
    return (await stat(runtimeUnits)).isDirectory();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Masks units until the next boot at the latest; returns those masked here. */
async function maskUntilBoot(services: readonly string[]): Promise<string[]> {
  if (services.length === 0 || !(await isSystemdRunning())) return [];
  await mkdir(runtimeUnits, { recursive: true });
  for (const service of services) {
    await rm(path.join(runtimeUnits, service), { force: true });
    await symlink('/dev/null', path.join(runtimeUnits, service));
  }
  return [...services];
}

async function release(
  masked: readonly string[],
  run: (...argv: [string, ...string[]]) => Promise<void>,
): Promise<void> {
  if (masked.length === 0) return;
  for (const service of masked) await rm(path.join(runtimeUnits, service), { force: true });
  await run('systemctl', 'daemon-reload');
  await run('systemctl', 'disable', ...masked);
}

function explain(error: CommandFailed, packages: readonly string[]): StalledError {
  return new StalledError(
    'tool_packages',
    `Debian packages could not be installed (${packages.join(', ')}): ${error.message}`,
    {
      hint: 'Mend what apt-get names above (often the network, or a broken package list), then run the command again.',
      cause: error,
    },
  );
}

/** @throws StalledError `tool_packages` with what apt-get said. */
export async function installPackages({ packages, services, environment }: AptRequest): Promise<void> {
  const env = { ...environment.variables, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
  // Never aborted from here: dpkg, cut off midway, leaves the system's packages half configured.
  const run = (...argv: [string, ...string[]]): Promise<void> => runToEnd({ argv, env });
  const masked = await maskUntilBoot(services);
  try {
    await run(...apt('update', '-q'));
    await run(...apt('install', '-y', '-q', '--no-install-recommends', ...packages));
  } catch (error) {
    if (error instanceof CommandFailed) throw explain(error, packages);
    throw error;
  } finally {
    await release(masked, run);
  }
}
