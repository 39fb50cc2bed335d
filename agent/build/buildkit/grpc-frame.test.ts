import fc from 'fast-check';
import { expect, it } from 'vitest';
import { frame, frameReader } from './grpc-frame.ts';

it('finds the messages however their bytes are cut', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 });
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (sent, cuts) => {
      const bytes = Buffer.concat(sent.map(frame));
      const reader = frameReader();
      const received: Buffer[] = [];
      for (let at = 0, index = 0; at < bytes.length; index++) {
        const length = cuts[index % cuts.length] ?? 1;
        received.push(...reader.push(bytes.subarray(at, at + length)));
        at += length;
      }
      expect(received).toEqual(sent.map((message) => Buffer.from(message)));
    }),
  );
});
