/** Decides which of the files that bear a program's name is used. */
import type { Pin, Program } from './pins.ts';
import { fits, type Version } from './version.ts';

/** One file that bears the program's name. `version` is null when it would not say; `linking` only where the pin asks. */
export interface Sighting {
  path: string;
  source: 'path' | 'cache';
  version: Version | null;
  linking?: 'static' | 'dynamic';
}

export type Sightings = ReadonlyMap<string, readonly Sighting[]>;

/** May this file be used? Its version fits, and so does its linking where that matters. */
export function isFitting(pin: Pin, program: Program, sighting: Sighting): boolean {
  if (sighting.version === null || !fits(sighting.version, pin.fits)) return false;
  return program.linking === undefined || program.linking === sighting.linking;
}

/** The file that is used for this program; null when there is none that fits. */
export function choose(pin: Pin, program: Program, sightings: Sightings): Sighting | null {
  return (sightings.get(program.name) ?? []).find((sighting) => isFitting(pin, program, sighting)) ?? null;
}

export function isPresent(pin: Pin, sightings: Sightings): boolean {
  return pin.programs.every((program) => choose(pin, program, sightings) !== null);
}
