/** Reads a stream of text line by line. */
import type { Readable } from 'node:stream';

/** Calls `onLine` for every line that is not empty, the last one too when no newline ends it. */
export async function eachLine(stream: Readable, onLine: (line: string) => void): Promise<void> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') onLine(line);
  }
  if (rest.trim() !== '') onLine(rest);
}
