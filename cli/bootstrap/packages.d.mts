export interface WantedPackage {
  version?: string;
  optional?: boolean;
  devOptional?: boolean;
}
export function firstDifference(
  wanted: Record<string, WantedPackage>,
  installed: Record<string, { version?: string }>,
): string | null;
export function hasPackages(root: string): boolean;
export function ensurePackages(root: string, report: (line: string) => void): Promise<void>;
