import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../platform/errors/api-codes.ts';
import { bodyReceiver, type BodyLimits } from './body.ts';

const limits: BodyLimits = { bodyBytes: 10_000, allBytes: 25_000, withinMs: 60_000 };

/** Receives bodies that the test writes, and says what came of each. */
function receiving(changes: Partial<BodyLimits> = {}) {
  const receive = bodyReceiver({ ...limits, ...changes });
  return (announced = NaN) => {
    const stream = new PassThrough();
    const told: unknown[] = [];
    receive(stream, announced, (error, body) => told.push(error instanceof ApiError ? error.code : (error ?? body)));
    const write = async (bytes: number): Promise<void> => {
      stream.write(Buffer.alloc(bytes, 'x'));
      await turn();
    };
    return { stream, told, write };
  };
}

describe('bodyReceiver', () => {
  it('gives a body as it was sent', async () => {
    const { stream, told, write } = receiving()(300);
    for (const bytes of [100, 0, 200]) await write(bytes);
    expect(told).toEqual([]);
    stream.end();
    await turn();
    expect(told).toEqual([Buffer.alloc(300, 'x')]);
  });

  it('P41: refuses one that is too long, as soon as it is announced or seen', async () => {
    const open = receiving();
    expect(open(10_001).told).toEqual(['payload_too_large']);
    const unannounced = open();
    await unannounced.write(10_001);
    expect(unannounced.told).toEqual(['payload_too_large']);
  });

  it('P41: refuses the largest when all together are too large, and never a small one', async () => {
    const open = receiving();
    const small = open();
    await small.write(10);
    const large = [open(), open(), open()];
    for (const [index, { write }] of large.entries()) await write(8_000 + index);
    expect([small, ...large].map(({ told }) => told)).toEqual([[], [], [], ['unavailable']]);
    small.stream.end();
    await turn();
    expect(small.told).toEqual([Buffer.alloc(10, 'x')]);
  });

  it('has room again for what was whole, refused or cut off', async () => {
    const open = receiving();
    for (let round = 0; round < 10; round++) {
      const [whole, cutOff, tooLong] = [open(), open(), open()];
      await whole.write(9_000);
      whole.stream.end();
      await cutOff.write(9_000);
      cutOff.stream.destroy(new Error('aborted'));
      await tooLong.write(10_001);
      await turn();
      expect(whole.told).toMatchObject([{ length: 9_000 }]);
      expect([cutOff.told, tooLong.told]).toEqual([['webhook_payload_invalid'], ['payload_too_large']]);
    }
  });

  it('P41: counts what many small pieces cost', async () => {
    const { told, write } = receiving()();
    for (let piece = 0; piece < 100; piece++) await write(1);
    expect(told).toEqual(['unavailable']);
  });

  it('P41: refuses one that does not come to its end', async () => {
    const { told, write } = receiving({ withinMs: 1 })();
    await write(1);
    await expect.poll(() => told).toEqual(['request_timeout']);
  });
});
