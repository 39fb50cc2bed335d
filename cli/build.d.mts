export function keepSourceLocation(text: string, file: string): string;
export function build(report: (line: string) => void): Promise<void>;
