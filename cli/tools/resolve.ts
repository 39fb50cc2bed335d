/** Tells everyone else where an external program lies. */
import { StalledError } from '../../platform/errors/errors.ts';
import { choose } from './fit.ts';
import { thisHost, type ToolsHost } from './host.ts';
import { findPin, type ProgramName } from './pins.ts';
import { sight } from './sighting.ts';
import { describeRange, formatVersion } from './version.ts';

export interface ResolvedTool {
  path: string;
  version: string;
  source: 'path' | 'cache';
}

/** The command that installs a tool, as a person types it in the checkout. */
export function installCommand(toolName: string): string {
  return `npm run landfall -- tools install ${toolName}`;
}

/**
 * Finds a program at a version that fits: on PATH, else in the cache. Installs nothing.
 * @throws StalledError `tool_missing`, whose hint is the command that installs it.
 */
export async function resolveTool(name: ProgramName, host: ToolsHost = thisHost()): Promise<ResolvedTool> {
  const pin = findPin(name);
  const program = pin?.programs.find((candidate) => candidate.name === name);
  if (pin === null || program === undefined) throw new Error(`${name} is not among the pins`);
  const sightings = await sight(pin, program, host);
  const chosen = choose(pin, program, new Map([[name, sightings]]));
  if (chosen?.version != null)
    return { path: chosen.path, version: formatVersion(chosen.version), source: chosen.source };
  const [unfit] = sightings;
  const found = unfit === undefined ? 'it is neither on PATH nor in the cache' : `${unfit.path} does not fit`;
  throw new StalledError('tool_missing', `${name} (${describeRange(pin.fits)}) is needed, and ${found}.`, {
    hint: `Install it with: ${installCommand(pin.name)}`,
  });
}
