export interface Layer {
  mayImport: string[];
  onlyOf?: Record<string, string[]>;
  bannedPackages: string[];
}
export const layers: Record<string, Layer>;

export interface Client {
  packages: string[];
  opens: string[];
  by: string[];
}
export const clients: Record<string, Client>;
