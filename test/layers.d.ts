export interface Layer {
  mayImport: string[];
  bannedPackages: string[];
}
export const layers: Record<string, Layer>;
