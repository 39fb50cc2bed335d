/** Gathers small frames so that many of them become one write. */
import type { StreamCall } from './grpc-server.ts';

const batchLength = 64 * 1024;

export class FrameBatch {
  private buffer = Buffer.allocUnsafe(2 * batchLength);
  private length = 0;
  private readonly call: StreamCall;

  constructor(call: StreamCall) {
    this.call = call;
  }

  /** Makes room for `bound` bytes; `write` returns the position after what it wrote. */
  add(bound: number, write: (buffer: Buffer, at: number) => number): void {
    if (this.length + bound > this.buffer.length) {
      const larger = Buffer.allocUnsafe(this.length + bound + batchLength);
      this.buffer.copy(larger, 0, 0, this.length);
      this.buffer = larger;
    }
    this.length = write(this.buffer, this.length);
  }

  get isFull(): boolean {
    return this.length >= batchLength;
  }

  async flush(): Promise<void> {
    if (this.length === 0) return;
    const frames = this.buffer.subarray(0, this.length);
    this.buffer = Buffer.allocUnsafe(2 * batchLength);
    this.length = 0;
    await this.call.write(frames);
  }
}
