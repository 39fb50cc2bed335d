/** Reads one line of the engine's log files: `<time> <stdout|stderr> <F|P> <text>`, where P is a piece of a longer line. */

export const outputs = ['stdout', 'stderr'] as const;
export type Output = (typeof outputs)[number];

export interface CriRecord {
  output: Output;
  at: string;
  isWhole: boolean;
  text: Buffer;
}

const maxHeader = 80;
const header = /^(\S+) (stdout|stderr) ([FP])(?: |$)/;

/** Null for what the engine did not write this way. */
export function recordOf(bytes: Buffer): CriRecord | null {
  const match = header.exec(bytes.toString('latin1', 0, maxHeader));
  const at = new Date(match?.[1] ?? '');
  if (match === null || Number.isNaN(at.getTime())) return null;
  return {
    output: match[2] === 'stderr' ? 'stderr' : 'stdout',
    at: at.toISOString(),
    isWhole: match[3] === 'F',
    text: bytes.subarray(match[0].length),
  };
}
