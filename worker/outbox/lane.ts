/** Empties one installation's lane of the outbox, in order, and says when to come back. */
import { classify } from '../../platform/errors/classify.ts';
import type { PendingWrite } from '../../prisma/store/outbox.ts';
import { retryDelayMs } from './retry.ts';

/** What the lane needs of the database, and of GitHub: a fake is a plain object. */
export interface Lane {
  pending(): Promise<PendingWrite[]>;
  beginAttempt(write: PendingWrite): Promise<void>;
  /** Writes to GitHub, or finds that it was written before. Gives GitHub's id of what is there now. */
  send(write: PendingWrite): Promise<number | null>;
  markSent(write: PendingWrite, sent: { githubId: number | null; at: Date }): Promise<void>;
  markLater(write: PendingWrite, later: { notBefore: Date; error: string }): Promise<void>;
  markFailed(write: PendingWrite, error: string): Promise<void>;
  now(): Date;
}

const maxAttempts = 12;

type Sent = { kind: 'done' } | { kind: 'later'; at: Date };

async function sendOne(lane: Lane, write: PendingWrite): Promise<Sent> {
  await lane.beginAttempt(write);
  try {
    const githubId = await lane.send(write);
    await lane.markSent(write, { githubId, at: lane.now() });
    return { kind: 'done' };
  } catch (error) {
    const found = classify(error);
    const attempt = write.attempts + 1;
    switch (found.policy) {
      case 'waiting':
        await lane.markLater(write, { notBefore: found.until, error: found.message });
        return { kind: 'later', at: found.until };
      case 'retry': {
        if (attempt >= maxAttempts) break;
        const notBefore = new Date(lane.now().getTime() + retryDelayMs(attempt));
        await lane.markLater(write, { notBefore, error: found.message });
        return { kind: 'later', at: notBefore };
      }
      case 'stalled':
      case 'ignored':
        break;
    }
    await lane.markFailed(write, `${found.code}: ${found.message}`);
    return { kind: 'done' };
  }
}

/**
 * Sends what is pending, oldest first. One that has to wait holds the whole lane back: limits are the installation's, and
 * order is kept. Returns the time of the next attempt, or null when the lane is empty.
 */
export async function flushLane(lane: Lane): Promise<Date | null> {
  for (;;) {
    const writes = await lane.pending();
    if (writes.length === 0) return null;
    for (const write of writes) {
      if (write.notBefore > lane.now()) return write.notBefore;
      const sent = await sendOne(lane, write);
      if (sent.kind === 'later') return sent.at;
    }
  }
}
