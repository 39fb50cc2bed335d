/** Sends what an installation's lane of the outbox owes, in order per subject, and says why it stopped. */
import { classify } from '../../platform/errors/classify.ts';
import type { Marked, PendingWrite } from '../../prisma/store/outbox.ts';
import { maxAttempts, retryDelayMs } from './retry.ts';

/** What the lane needs of the database, and of GitHub: a fake is a plain object. Nothing is marked once the lane is lost. */
export interface Lane {
  /** Writes that may be sent now, oldest first: none behind one of the same subject that has to wait. */
  sendable(): Promise<PendingWrite[]>;
  /** `not_owed`: a newer write took its place. `lost`: another process has the lane. */
  begin(write: PendingWrite): Promise<'begun' | 'not_owed' | 'lost'>;
  /** Writes to GitHub, or finds that it was written before. Gives GitHub's id of what is there now. */
  send(write: PendingWrite): Promise<number | null>;
  markSent(write: PendingWrite, sent: { githubId: number | null; at: Date }): Promise<Marked>;
  markLater(write: PendingWrite, later: { notBefore: Date; error: string }): Promise<Marked>;
  /** It was no attempt, and nothing is sent for this installation before then. */
  limit(write: PendingWrite, limit: { until: Date; error: string }): Promise<Marked>;
  markFailed(write: PendingWrite, error: string): Promise<Marked>;
  now(): Date;
}

export type Flushed =
  /** Nothing is left that may be sent now. */
  | { kind: 'done' }
  /** GitHub asks to wait. */
  | { kind: 'limited'; until: Date }
  /** Others want their turn, or GitHub is away: to go on then. */
  | { kind: 'paused'; until: Date }
  /** Another process has the lane. */
  | { kind: 'lost' };

/** Sent in one go at most: other lanes wait for their turn. */
const writesAtOnce = 30;
/** So many writes in one go that fail for GitHub's sake mean that it is away. */
const patience = 3;
const awayMs = 5_000;

/** What keeps GitHub from taking any write of the installation until a person has changed something. */
const notOfTheWrite: ReadonlySet<string> = new Set(['github_credentials_refused', 'installation_suspended']);
const personMs = 5 * 60_000;

/** `passed`: whatever became of it, the next one may go. */
type Sent = { kind: 'passed' } | { kind: 'later' } | Extract<Flushed, { kind: 'limited' | 'lost' }>;

/** What follows from the write, unless the lane was lost while it was sent: then its successor sees to it, and looks first. */
function unlessLost(marked: Marked, sent: Sent): Sent {
  return marked === 'lost' ? { kind: 'lost' } : sent;
}

async function sendOne(lane: Lane, write: PendingWrite): Promise<Sent> {
  const begun = await lane.begin(write);
  if (begun === 'lost') return { kind: 'lost' };
  if (begun === 'not_owed') return { kind: 'passed' };
  try {
    const githubId = await lane.send(write);
    return unlessLost(await lane.markSent(write, { githubId, at: lane.now() }), { kind: 'passed' });
  } catch (error) {
    return putOff(lane, write, error);
  }
}

async function putOff(lane: Lane, write: PendingWrite, error: unknown): Promise<Sent> {
  const found = classify(error);
  const attempt = write.attempts + 1;
  switch (found.policy) {
    case 'waiting':
      return limit(lane, write, { until: found.until, error: found.message });
    case 'retry': {
      if (attempt >= maxAttempts) break;
      const notBefore = new Date(lane.now().getTime() + retryDelayMs(attempt));
      return unlessLost(await lane.markLater(write, { notBefore, error: found.message }), { kind: 'later' });
    }
    case 'stalled': {
      if (!notOfTheWrite.has(found.code)) break;
      const until = new Date(lane.now().getTime() + personMs);
      return limit(lane, write, { until, error: found.message });
    }
    case 'ignored':
      break;
  }
  return unlessLost(await lane.markFailed(write, `${found.code}: ${found.message}`), { kind: 'passed' });
}

async function limit(lane: Lane, write: PendingWrite, asked: { until: Date; error: string }): Promise<Sent> {
  return unlessLost(await lane.limit(write, asked), { kind: 'limited', until: asked.until });
}

/**
 * Oldest first. One that has to wait holds back what is about the same subject and nothing else; a limit of GitHub's is the
 * installation's, and holds back all.
 */
export async function flushLane(lane: Lane): Promise<Flushed> {
  let count = 0;
  let failures = 0;
  for (;;) {
    const writes = await lane.sendable();
    if (writes.length === 0) return { kind: 'done' };
    const waiting = new Set<string>();
    for (const write of writes) {
      if (waiting.has(write.subject)) continue;
      if (failures >= patience) return { kind: 'paused', until: new Date(lane.now().getTime() + awayMs) };
      if (count >= writesAtOnce) return { kind: 'paused', until: lane.now() };
      const sent = await sendOne(lane, write);
      if (sent.kind === 'limited' || sent.kind === 'lost') return sent;
      count += 1;
      if (sent.kind === 'later') {
        failures += 1;
        waiting.add(write.subject);
      }
    }
  }
}
