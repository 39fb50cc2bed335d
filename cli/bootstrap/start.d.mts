export function startOptions(args: readonly string[]): { data: string; port: number | null; asksHelp: boolean };
export function insistOnStart(root: string, args: readonly string[]): Promise<void>;
