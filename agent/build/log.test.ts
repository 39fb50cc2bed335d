import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../core/contract/logs.ts';
import { manualClock } from '../testing/manual-clock.ts';
import type { ProgressEvent } from './buildkit/progress.ts';
import { BuildLog } from './log.ts';

const at = new Date('2030-01-01T00:00:00Z');
const token = 'ghs_canary0123456789';
const output = (data: string | Uint8Array, stream: 'stdout' | 'stderr' = 'stdout', vertex = 'v1'): ProgressEvent => ({
  kind: 'log',
  vertex,
  stream,
  data: typeof data === 'string' ? Buffer.from(data) : data,
  at,
});

function setUp(maxBytes = 1_000_000) {
  const lines: LogLine[] = [];
  let ended = 0;
  const stream = {
    push: (more: readonly LogLine[]) => void lines.push(...more),
    end: () => Promise.resolve(void (ended += 1)),
  };
  const clock = manualClock(at);
  const log = new BuildLog({ stream, secrets: [token], maxBytes, clock });
  return { log, clock, lines, texts: () => lines.map(({ text }) => text), ended: () => ended };
}

describe('the log of a build', () => {
  it('numbers steps, and says what was cached and what failed', async () => {
    const { log, texts } = setUp();
    log.progress({ kind: 'vertex-started', vertex: 'v1', name: '[1/2] FROM x', at });
    log.progress({ kind: 'vertex-cached', vertex: 'v1', name: '[1/2] FROM x', at });
    log.progress({ kind: 'vertex-started', vertex: 'v2', name: '[2/2] RUN make', at });
    log.progress({ kind: 'vertex-failed', vertex: 'v2', name: '[2/2] RUN make', error: 'exit code: 2', at });
    await log.end();
    expect(texts()).toEqual([
      '#1 [1/2] FROM x',
      '#1 CACHED [1/2] FROM x',
      '#2 [2/2] RUN make',
      '#2 FAILED [2/2] RUN make: exit code: 2',
    ]);
  });

  it('joins what steps print into lines, each stream by itself', async () => {
    const { log, lines } = setUp();
    log.progress(output('com'));
    log.progress(output('warn', 'stderr'));
    log.progress(output('piling\r\ndone'));
    log.progress(output('ing\n', 'stderr'));
    await log.end();
    expect(lines.map(({ text, error }) => [text, error])).toEqual([
      ['compiling', false],
      ['warning', true],
      ['done', false],
    ]);
  });

  it('keeps letters whole that are cut by the border of two pieces', async () => {
    const { log, texts } = setUp();
    const bytes = Buffer.from('gruß\n');
    log.progress(output(bytes.subarray(0, 4)));
    log.progress(output(bytes.subarray(4)));
    await log.end();
    expect(texts()).toEqual(['gruß']);
  });

  it('P65: masks secrets, also across pieces, in notes and in the tail', async () => {
    const { log, texts } = setUp();
    log.progress(output(`token ${token.slice(0, 8)}`));
    log.progress(output(`${token.slice(8)}!\n`));
    log.note(`fetching with ${token}`);
    await log.end();
    expect(texts()).toEqual(expect.arrayContaining(['token ***!', 'fetching with ***']));
    expect(JSON.stringify([texts(), log.tail(), log.mask(token)])).not.toContain(token);
  });

  it('is bounded and goes on: whoever reads it has its last lines within a second, and is told what is left out', async () => {
    const { log, clock, texts, ended } = setUp(50_000);
    for (let count = 0; count < 10_000; count += 1) {
      log.progress(output(`line ${count} of many\n`));
      if (count % 1_000 === 999) {
        await clock.advance(1_000);
        expect(texts().at(-1)).toBe(`line ${count} of many`);
      }
    }
    expect(texts().join('\n').length).toBeLessThan(28_000);
    expect(texts().filter((text) => /^… \d+ lines/.test(text)).length).toBeGreaterThan(7);
    log.note('the very last');
    await log.end();
    expect([texts()[0], texts().at(-1), ended(), clock.armed()]).toEqual(['line 0 of many', 'the very last', 1, []]);
  });

  it('has the last words of a step that ends no line, before it says how it ended', () => {
    const { log, texts } = setUp();
    log.progress({ kind: 'vertex-started', vertex: 'v1', name: 'RUN make', at });
    log.progress(output('fatal: no rule', 'stderr'));
    log.progress({ kind: 'vertex-failed', vertex: 'v1', name: 'RUN make', error: 'exit code: 2', at });
    const last = ['#1 RUN make', 'fatal: no rule', '#1 FAILED RUN make: exit code: 2'];
    expect(log.tail()).toEqual(last);
    expect(texts()).toEqual(last);
  });

  it('breaks no line that goes on after its step has ended and others have begun', () => {
    const { log, texts } = setUp();
    log.progress({ kind: 'vertex-started', vertex: 'v1', name: 'RUN make', at });
    log.progress(output('one\ntw'));
    log.progress({ kind: 'vertex-completed', vertex: 'v1', name: 'RUN make', at });
    log.progress({ kind: 'vertex-started', vertex: 'v2', name: 'RUN test', at });
    log.progress(output('o\nthree'));
    expect(log.tail()).toEqual(['#1 RUN make', 'one', '#2 RUN test', 'two', 'three']);
    expect(texts()).toEqual(log.tail());
  });

  it('has the last words of a step that went well once it is quiet', async () => {
    const { log, texts, clock } = setUp();
    log.progress(output('almost'));
    log.progress({ kind: 'vertex-completed', vertex: 'v1', name: 'RUN make', at });
    await clock.advance(1_500);
    log.progress(output(' done'));
    await clock.advance(1_500);
    expect(texts()).toEqual([]);
    await clock.advance(500);
    expect([texts(), clock.armed()]).toEqual([['almost done'], []]);
  });

  it('takes what never ends its line in pieces, and little of it into the outcome', () => {
    const { log, lines } = setUp();
    const given = `.${'🚀'.repeat(25_000)}`;
    log.progress(output(given));
    expect(lines.map(({ text }) => text.length)).toEqual([16_383, 16_384, 16_384]);
    expect(lines.every(({ text }) => !/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/.test(text))).toBe(true);
    expect(log.tail().every((text) => text.length <= 2_000)).toBe(true);
  });

  it('keeps the last lines for the outcome', () => {
    const { log } = setUp();
    for (let count = 0; count < 100; count += 1) log.note(`line ${count}`);
    expect([log.tail().length, log.tail().at(-1)]).toEqual([50, 'line 99']);
  });
});
