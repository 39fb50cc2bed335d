/** Versions as numbers: read out of what a program prints, compared, and held against the range that fits. */

export type Version = readonly [major: number, minor: number, patch: number];

/** From `from`, up to but without `before`. */
export interface VersionRange {
  from: string;
  before?: string;
}

/** The first thing in the text that looks like a version: `v1.2.3`, `1.2`, `iproute2-6.1.0`, `go1.26.8`. */
export function parseVersion(text: string): Version | null {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  if (match === null) return null;
  return [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

export const formatVersion = (version: Version): string => version.join('.');

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

function required(text: string): Version {
  const version = parseVersion(text);
  if (version === null) throw new Error(`"${text}" in the pins is not a version`);
  return version;
}

export function fits(version: Version, range: VersionRange): boolean {
  if (compare(version, required(range.from)) < 0) return false;
  return range.before === undefined || compare(version, required(range.before)) < 0;
}

export function describeRange({ from, before }: VersionRange): string {
  return before === undefined ? `≥ ${from}` : `≥ ${from}, < ${before}`;
}
