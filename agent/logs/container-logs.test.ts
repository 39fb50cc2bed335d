import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogLine } from '../../core/contract/logs.ts';
import { secretMask } from '../../core/log/mask.ts';
import { containerLogs, type ContainerLogs } from './container-logs.ts';
import type { Cursor } from './cursors.ts';
import type { StreamOptions } from './open-logs.ts';
import type { LogShipper } from './shipper.ts';

let folder: string;
let logs: ContainerLogs[];
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'landfall-logs-'));
  logs = [];
});
afterEach(async () => {
  for (const one of logs) await one.close();
  await rm(folder, { recursive: true, force: true });
});

const secret = 'S3CRET-value-0123456789-abcdefghij';
const record = (text: string, kind = 'F', output = 'stdout') => `2030-01-01T00:00:00Z ${output} ${kind} ${text}\n`;
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `line ${from + index} ${'x'.repeat(80)}`);

interface Sent {
  options: StreamOptions;
  lines: LogLine[];
  closed: boolean;
  ended: boolean;
}

function setUp(cursors: Record<string, Cursor> = {}) {
  const streams: Sent[] = [];
  const shipper: Pick<LogShipper, 'open'> = {
    open: (options) => {
      const stream: Sent = { options, lines: [], closed: false, ended: false };
      streams.push(stream);
      return {
        push: (more) => void stream.lines.push(...more),
        end: () => Promise.resolve(void (stream.ended = true)),
        isClosed: () => stream.closed,
      };
    },
  };
  const made = containerLogs({
    ...{ shipper, cursors, maskOf: () => secretMask([secret]) },
    now: () => new Date('2030-01-01T00:00:00.000Z'),
  });
  logs.push(made);
  const takeAll = () => {
    for (const { options, lines } of streams) options.onAcknowledged?.(options.startOffset + lines.length);
  };
  /** Turn by turn, and everything is taken at once. */
  const follow = async (...seen: ReturnType<typeof container>[]) => {
    for (let turn = 0; turn < 8; turn += 1) {
      await made.follow(seen);
      takeAll();
    }
  };
  const texts = () => streams.flatMap(({ lines }) => lines.map(({ text }) => text));
  return { logs: made, streams, follow, takeAll, texts };
}

function container(containerId = 'c1', allocationId = 'a1') {
  const local = { containerId, labels: {}, state: 'running', image: null, ip: null } as const;
  const logPath = path.join(folder, `${containerId}.log`);
  return { allocationId, local, logPath, exitCode: 0, outOfMemory: false, startedAt: null };
}

const write = (seen: { logPath: string }, ...records: string[]) => appendFile(seen.logPath, records.join(''));

/** As the engine does it when a file is full: a new one in its place. */
async function rotate({ logPath }: { logPath: string }, ...records: string[]): Promise<void> {
  await writeFile(`${logPath}.tmp`, records.join(''));
  await rename(`${logPath}.tmp`, logPath);
}

describe('the log of a container', () => {
  it('is read no further than what waits to be taken', async () => {
    const { logs, streams, takeAll } = setUp();
    const seen = container();
    await write(seen, record('x'.repeat(16_000)).repeat(250));
    for (let turn = 0; turn < 40; turn += 1) await logs.follow([seen]);
    const [stream] = streams;
    const bytes = () => stream!.lines.reduce((sum, { text }) => sum + text.length, 0);
    expect(bytes()).toBeGreaterThan(700_000);
    expect(bytes()).toBeLessThan(1_500_000);
    for (let turn = 0; turn < 40; turn += 1) {
      takeAll();
      await logs.follow([seen]);
    }
    expect(stream!.lines).toHaveLength(250);
  });

  it('is read until nothing more is there, at once', async () => {
    const { logs, texts } = setUp();
    const seen = container();
    await write(seen, ...numbered(0, 3_500).map((text) => record(text)));
    await logs.follow([seen]);
    expect(texts()).toEqual(numbered(0, 3_500));
  });

  it('that is refused is read no more, and forgotten with its container', async () => {
    const { logs, streams } = setUp();
    const seen = container();
    await write(seen, record('hello').repeat(3));
    await logs.follow([seen]);
    streams[0]!.closed = true;
    await write(seen, record('more').repeat(3));
    await logs.follow([seen]);
    expect([streams.length, streams[0]?.lines.length, Object.keys(logs.cursors())]).toEqual([1, 3, ['a1']]);
    await logs.follow([]);
    expect([logs.cursors(), streams[0]?.ended]).toEqual([{}, true]);
  });

  it('is shipped to its last word, also what it said before it was removed and after it was looked at', async () => {
    const { streams, follow, texts } = setUp();
    const seen = container();
    await write(seen, record('serving'));
    await follow(seen);
    await write(seen, record('asked to stop'), record('bye', 'P', 'stderr'));
    await rm(seen.logPath);
    await follow();
    expect(texts()).toEqual(['serving', 'asked to stop', 'bye']);
    expect(streams[0]?.ended).toBe(true);
  });

  it('goes on with the container that takes the place of another, after the last word of that one', async () => {
    const { streams, follow, texts, logs } = setUp();
    const [old, next] = [container('c1'), container('c2')];
    await write(old, record('one'));
    await follow(old);
    await write(old, record('two'));
    await rm(old.logPath);
    await follow(next);
    await write(next, record('three'));
    await follow(next);
    expect(texts()).toEqual(['one', 'two', 'three']);
    expect([streams.length, logs.cursors()]).toMatchObject([1, { a1: { containerId: 'c2', nextOffset: 3 } }]);
  });

  it('is not read twice when its container is missed by one look while lines wait to be taken', async () => {
    const { logs, takeAll, texts } = setUp();
    const seen = container();
    await write(seen, record('one'), record('two'));
    await logs.follow([seen]);
    await logs.follow([]);
    await write(seen, record('three'));
    await logs.follow([seen]);
    takeAll();
    expect(texts()).toEqual(['one', 'two', 'three']);
  });

  it('goes on with its numbers when its allocation comes back', async () => {
    const { streams, follow } = setUp();
    await write(container('c1'), record('one').repeat(3));
    await follow(container('c1'));
    await follow();
    await write(container('c2'), record('two'));
    await follow(container('c2'));
    expect(streams.map(({ options, lines }) => [options.startOffset, lines.length])).toEqual([
      [0, 3],
      [3, 1],
    ]);
  });

  it('loses nothing when its file is begun anew, however much of it was not read', async () => {
    const { logs, follow, texts } = setUp();
    const seen = container();
    await write(seen, ...numbered(0, 9_000).map((text) => record(text)), record('torn ', 'P'));
    await logs.follow([seen]);
    await rotate(seen, record('line'), ...numbered(9_000, 10_000).map((text) => record(text)));
    await follow(seen);
    expect(texts()).toEqual([...numbered(0, 9_000), 'torn line', ...numbered(9_000, 10_000)]);
  });

  it('says where lines are missing, because a whole file was begun and ended before it could be read', async () => {
    const { logs, follow, texts } = setUp();
    const seen = container();
    await write(seen, ...numbered(0, 9_000).map((text) => record(text)), record('torn', 'P'));
    await logs.follow([seen]);
    await rotate(seen, record('never read'));
    await logs.follow([seen]);
    await rotate(seen, record('end of a line'), record('after'));
    await follow(seen);
    expect(texts().slice(0, 9_000)).toEqual(numbered(0, 9_000));
    expect(texts().slice(9_000)).toEqual([expect.stringMatching(/^\[landfall: lines are missing here/), 'after']);
  });

  it('says the same when its file was begun anew while the agent was away', async () => {
    const before = setUp();
    const seen = container();
    await write(seen, record('one'));
    await before.follow(seen);
    const cursors = before.logs.cursors();
    await before.logs.close();
    await write(seen, record('never read'));
    await rotate(seen, record('end of a line'), record('after'));
    const { follow, texts, streams } = setUp(cursors);
    await follow(seen);
    expect(texts()).toEqual([expect.stringMatching(/^\[landfall: lines are missing here/), 'after']);
    expect(streams[0]?.options.startOffset).toBe(1);
  });

  it('P65: holds no part of a secret, wherever files and reads end, and where the agent starts anew', async () => {
    const text = `${'x'.repeat(16_370)}${secret}${'y'.repeat(20)}`;
    for (let border = 16_365; border < 16_370 + secret.length + 5; border += 3) {
      for (const between of ['read', 'rotate', 'restart', 'restart and rotate']) {
        const id = `${between}-${border}`;
        const seen = container(id, id);
        const first = setUp();
        await write(seen, record('before'), record(text.slice(0, 9_000), 'P'), record(text.slice(9_000, border), 'P'));
        await first.follow(seen);
        const rest = record(text.slice(border));
        if (between.includes('rotate')) await rotate(seen, rest);
        else await write(seen, rest);
        const second = between.includes('restart') ? setUp(first.logs.cursors()) : first;
        await write(seen, record('next'));
        await second.follow(seen);
        const shown = [...new Set([first, second])].flatMap(({ texts }) => texts()).join('\n');
        for (let at = 0; at + 5 <= secret.length; at += 1) expect(shown).not.toContain(secret.slice(at, at + 5));
        expect(shown).toContain('next');
        await first.logs.close();
        await second.logs.close();
      }
    }
  });

  it('gives the same lines the same numbers when they are read anew', async () => {
    const first = setUp();
    const seen = container();
    const all = [
      ...[record('a'), record('b', 'P', 'stderr'), record('c'), record('d'.repeat(20_000), 'P')],
      ...[record('e', 'F', 'stderr'), record('f'), record('g', 'P'), record('h')],
    ];
    await write(seen, ...all.slice(0, 4));
    await first.follow(seen);
    await write(seen, ...all.slice(4));
    await first.follow(seen);
    const whole = first.texts();
    for (let count = 0; count <= whole.length; count += 1) {
      const { streams, logs, follow } = setUp();
      await logs.follow([seen]);
      streams[0]?.options.onAcknowledged?.(count);
      const again = setUp(logs.cursors());
      await again.follow(seen);
      const { startOffset } = again.streams[0]!.options;
      expect(startOffset).toBeLessThanOrEqual(count);
      expect(again.texts()).toEqual(whole.slice(startOffset));
      await follow();
    }
  });
});

it('what all containers together have waiting is bounded, and none is kept from its turn', async () => {
  const { logs, streams } = setUp();
  const all = Array.from({ length: 50 }, (_, index) => container(`c${index}`, `a${index}`));
  const flood = record('x'.repeat(1_000)).repeat(1_000);
  for (const seen of all) await write(seen, flood);
  for (let turn = 0; turn < 5; turn += 1) await logs.follow(all);
  const waiting = streams.map(({ lines }) => lines.reduce((sum, { text }) => sum + text.length, 0));
  expect(waiting.reduce((sum, one) => sum + one, 0)).toBeLessThan(13 * 1024 ** 2);
  expect(Math.min(...waiting)).toBeGreaterThan(50_000);
});
