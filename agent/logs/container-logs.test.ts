import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogLine } from '../../core/contract/logs.ts';
import { containerLogs } from './container-logs.ts';
import type { LogShipper, StreamOptions } from './shipper.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'landfall-logs-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function setUp() {
  const logPath = path.join(folder, 'ctr.log');
  const streams: { options: StreamOptions; lines: LogLine[]; closed: boolean; ended: boolean }[] = [];
  const shipper: Pick<LogShipper, 'open'> = {
    open: (options) => {
      const stream = { options, lines: [] as LogLine[], closed: false, ended: false };
      streams.push(stream);
      return {
        push: (more) => void stream.lines.push(...more),
        end: () => Promise.resolve(void (stream.ended = true)),
        isClosed: () => stream.closed,
      };
    },
  };
  const logs = containerLogs({ shipper, cursors: {}, maskOf: () => (text) => text });
  const local = { containerId: 'c1', labels: {}, state: 'running', image: null, ip: null } as const;
  const seen = { allocationId: 'a1', local, logPath, exitCode: 0, outOfMemory: false, startedAt: null };
  const write = (count: number, text: string) =>
    appendFile(logPath, `2030-01-01T00:00:00Z stdout F ${text}\n`.repeat(count));
  return { logs, streams, seen, write };
}

describe('the log of a container', () => {
  it('is read no further than what waits to be taken', async () => {
    const { logs, streams, seen, write } = setUp();
    await write(250, 'x'.repeat(16_000));
    for (let turn = 0; turn < 40; turn += 1) await logs.follow([seen]);
    const [stream] = streams;
    const bytes = () => stream!.lines.reduce((sum, { text }) => sum + text.length, 0);
    expect(bytes()).toBeGreaterThan(700_000);
    expect(bytes()).toBeLessThan(1_500_000);
    for (let turn = 0; turn < 40; turn += 1) {
      stream!.options.onAcknowledged?.(stream!.lines.length);
      await logs.follow([seen]);
    }
    expect(stream!.lines).toHaveLength(250);
  });

  it('that is refused is read no more, and forgotten with its container', async () => {
    const { logs, streams, seen, write } = setUp();
    await write(3, 'hello');
    await logs.follow([seen]);
    streams[0]!.closed = true;
    await write(3, 'more');
    await logs.follow([seen]);
    expect([streams.length, streams[0]?.lines.length, Object.keys(logs.cursors())]).toEqual([1, 3, ['a1']]);
    await logs.follow([]);
    expect([logs.cursors(), streams[0]?.ended]).toEqual([{}, true]);
  });
});
