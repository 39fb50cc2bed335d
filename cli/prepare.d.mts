export function linkPostgresLibraries(folder: string): void;
export function prepare(report: (line: string) => void): Promise<void>;
export function generate(report: (line: string) => void): Promise<void>;
