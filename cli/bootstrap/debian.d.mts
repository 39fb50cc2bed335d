import type { Need } from '../tools/pins.ts';

export interface DebianTool {
  readonly neededBy: readonly Need[];
  readonly packages: readonly string[];
  readonly services: readonly string[];
}
export const debianTools: Readonly<Record<string, DebianTool>>;
export function isDebianLike(osRelease: string): boolean;
export function hasApt(): boolean;
export function missingPackages(): string[];
export function aptCommand(packages: readonly string[]): string;
