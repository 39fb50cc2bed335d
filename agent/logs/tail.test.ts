import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { secretMask } from '../../core/log/mask.ts';
import { logTail } from './tail.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'landfall-tail-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const secret = 'S3CRET-value-0123456789-abcdefghij';
const record = (text: string, kind = 'F', output = 'stdout') => `2030-01-01T00:00:00Z ${output} ${kind} ${text}\n`;

async function tail(content: string, change: { hasEnded?: boolean; lines?: number } = {}): Promise<string[]> {
  const file = path.join(folder, 'ctr.log');
  await writeFile(file, content);
  return logTail({ path: file, mask: secretMask([secret]), lines: 3, hasEnded: true, ...change });
}

describe('the last lines of a log', () => {
  it('are the last ones of both outputs, in their order', async () => {
    const content = ['a', 'b', 'c'].map((text) => record(text)).join('') + record('d', 'F', 'stderr');
    expect(await tail(content)).toEqual(['b', 'c', 'd']);
    expect(await logTail({ path: folder + '/none', mask: secretMask([]), lines: 3, hasEnded: true })).toEqual([]);
  });

  it('have what has no line end only when nothing follows it', async () => {
    const content = record('a') + record('last words', 'P');
    expect(await tail(content)).toEqual(['a', 'last words']);
    expect(await tail(content, { hasEnded: false })).toEqual(['a']);
  });

  it('P65: hold no part of a secret, wherever its pieces end and the tail begins', async () => {
    for (let border = 1; border < secret.length; border += 1) {
      const [one, two] = [secret.slice(0, border), secret.slice(border)];
      const pieces = record(one, 'P') + record('else', 'F', 'stderr') + record(two);
      expect(await tail(pieces)).toEqual(['else', '***']);
      // What is read begins within the record of the first piece.
      const rest = record(two);
      const filler = record('z'.repeat(256 * 1_024 - rest.length - record('').length - 1));
      const shown = await tail(record(one, 'P') + rest + filler, { lines: 100 });
      expect(shown.join('')).toMatch(/^z+$/);
    }
  });

  it('P65: leave out a line whose beginning is not read', async () => {
    const content = record('x'.repeat(8_000), 'P').repeat(40) + record('cut') + record('b') + record('c');
    expect(await tail(content)).toEqual(['b', 'c']);
  });
});
