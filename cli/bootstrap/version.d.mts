export function askedVersion(args: string[], root: string): string | null;
