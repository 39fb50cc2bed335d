/** Sends a build context: one STAT for each entry, then the bytes of the files that the daemon asks for. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fromBinary } from '@bufbuild/protobuf';
import { messageOf } from '../../../platform/errors/classify.ts';
import { fromText } from '../context/byte-path.ts';
import type { PathFilter } from '../context/path-filter.ts';
import { walkContext } from '../context/walk.ts';
import { fileSender, type FileSender } from './file-sender.ts';
import { FrameBatch } from './frame-batch.ts';
import { PacketSchema } from './gen/filesync_pb.ts';
import type { StreamCall } from './grpc-server.ts';
import { endOfStats, errorFrame, finishedFrame, packetType, statFrameBound, writeStatFrame } from './packet.ts';

/** The daemon gave the transfer up; the solve itself says why. */
export class TransferRefusedError extends Error {
  override readonly name = 'TransferRefusedError';
}

/** Files that were announced and not yet asked for, by the number of their STAT. */
type Announced = Map<number, { readonly path: string; readonly size: number }>;

async function sendStats(
  call: StreamCall,
  entries: ReturnType<typeof walkContext>,
  announced: Announced,
): Promise<void> {
  const batch = new FrameBatch(call);
  let id = 0;
  for (const entry of entries) {
    if (entry.hasContent) announced.set(id, { path: entry.path, size: entry.size });
    id++;
    batch.add(statFrameBound(entry), (buffer, at) => writeStatFrame(buffer, at, entry));
    if (!batch.isFull) continue;
    await batch.flush();
    // The walk is synchronous; other work of the process gets its turn.
    await nextTurn();
  }
  await batch.flush();
  await call.write(endOfStats());
}

/** Serves requests until the daemon has all that it wants. */
async function receive(call: StreamCall, announced: Announced, sender: FileSender): Promise<void> {
  for await (const message of call.messages) {
    const packet = fromBinary(PacketSchema, message);
    switch (packet.type) {
      case packetType.request: {
        const file = announced.get(packet.id);
        if (file === undefined)
          throw new TransferRefusedError(`the daemon asked for entry ${packet.id}, which is no file`);
        announced.delete(packet.id);
        sender.request({ id: packet.id, ...file });
        break;
      }
      case packetType.finished:
        await call.write(finishedFrame());
        return;
      case packetType.error:
        throw new TransferRefusedError(Buffer.from(packet.data).toString('utf8'));
    }
  }
  throw new TransferRefusedError('the daemon ended the transfer before it was complete');
}

/** `root` is a system path without symlinks. Rejects with the reason when the context cannot be sent whole. */
export async function transferContext(call: StreamCall, root: string, filter: PathFilter): Promise<void> {
  const announced: Announced = new Map();
  let received: Promise<void> = Promise.resolve();
  const failed = new Promise<never>((_, fail) => {
    const sender = fileSender({ call, root: fromText(root) }, fail);
    received = receive(call, announced, sender);
    sendStats(call, walkContext(root, filter), announced).catch(fail);
  });
  try {
    await Promise.race([received, failed]);
  } catch (error) {
    if (!(error instanceof TransferRefusedError)) {
      await call.write(errorFrame(messageOf(error)));
    }
    throw error;
  }
}
