/** The live part of an intent's page: what changed in it, and the lines of its builds' logs, until it ends. */
import type { FastifyReply } from 'fastify';
import type { IntentDetail } from '../../core/contract/resources/intents.ts';
import { intentTopic, logTopic, rolloutTopic } from '../../platform/wake/topics.ts';
import { readLog, type LogRead } from '../../prisma/store/logs.ts';
import type { ApiDeps } from '../deps.ts';
import { watch, type Watch } from '../http/watch.ts';
import { isLogOver } from '../resources/log-end.ts';
import { encodeCursor } from '../resources/log-page.ts';
import { mayStillRead, type Reader } from './access.ts';
import { renderEvent, writeEvent } from './event-stream.ts';
import { intentFragments, type IntentLinks } from './pages/intent.ts';
import { logLines } from './pages/log.ts';

export interface IntentStream {
  intentId: string;
  reader: Reader;
  links: IntentLinks;
  /** Of each build's stream, the number of the line that comes next. */
  positions: Record<string, number>;
  load: () => Promise<IntentDetail | null>;
}

/** How often it looks by itself: whether the access was revoked (P72), and at what nobody was woken for. */
const lookAgainMs = 4_000;
const linesAtOnce = 500;

/** Ends when the intent and the logs of its builds have, when the reader is gone or may read no more, and when the API stops. */
export async function streamIntent(deps: ApiDeps, stream: IntentStream, connection: Connection): Promise<void> {
  const { raw, signal } = connection;
  const send = (text: string): Promise<void> => writeEvent(raw, text, signal);
  let sent: Record<string, string> = {};
  let topics = topicsOf(stream.intentId, null);
  while (!signal.aborted) {
    const watching = watch(deps.wake, [...topics.state, ...topics.logs]);
    try {
      // Read after the subscription: what was committed before it is seen here (P09).
      const intent = await stream.load();
      if (intent === null) return;
      sent = await sendChanges(intent, { stream, sent, send });
      const logsAreOver = await sendLogs(deps, intent, { stream, send });
      if (intent.finishedAt !== null && logsAreOver) {
        await send(renderEvent({ event: 'end', data: null }));
        return;
      }
      const reading = topics;
      topics = topicsOf(stream.intentId, intent);
      if (topics.logs.length === reading.logs.length && topics.state.length === reading.state.length)
        await sendLogsUntilChange(deps, intent, { stream, send, watching, topics, signal });
    } finally {
      watching.close();
    }
    if (!(await mayStillRead(deps, stream.reader))) {
      await send(renderEvent({ event: 'revoked', data: null }));
      return;
    }
    await send(': still here\n\n');
  }
}

interface Connection {
  raw: FastifyReply['raw'];
  signal: AbortSignal;
}

interface Topics {
  state: string[];
  logs: string[];
}

function topicsOf(intentId: string, intent: IntentDetail | null): Topics {
  return {
    state: [intentTopic(intentId), ...(intent?.rollouts ?? []).map(({ id }) => rolloutTopic(id))],
    logs: (intent?.builds ?? []).map(({ id }) => logTopic(`build:${id}`)),
  };
}

interface Following extends Sending {
  watching: Watch;
  topics: Topics;
  signal: AbortSignal;
}

/** While nothing but logs change, only logs are read; at most until it is time to look again at everything. */
async function sendLogsUntilChange(deps: ApiDeps, intent: IntentDetail, following: Following): Promise<void> {
  const until = performance.now() + lookAgainMs;
  for (;;) {
    const timeoutMs = until - performance.now();
    if (timeoutMs <= 0 || following.signal.aborted) return;
    const woken = await following.watching.next({ timeoutMs, signal: following.signal });
    if (following.topics.state.some((topic) => woken.has(topic))) return;
    const logsAreOver = await sendLogs(deps, intent, following);
    if (intent.finishedAt !== null && logsAreOver) return;
  }
}

interface Sending {
  stream: IntentStream;
  send: (text: string) => Promise<void>;
}

async function sendChanges(
  intent: IntentDetail,
  { stream, sent, send }: Sending & { sent: Record<string, string> },
): Promise<Record<string, string>> {
  const fragments = intentFragments(intent, stream.links);
  const changed = Object.entries(fragments).filter(([name, text]) => sent[name] !== text);
  if (changed.length > 0) await send(renderEvent({ event: 'state', data: Object.fromEntries(changed) }));
  return fragments;
}

/** Gives whether nothing comes any more in the log of any build that has ended. */
async function sendLogs(deps: ApiDeps, intent: IntentDetail, sending: Sending): Promise<boolean> {
  let areOver = true;
  for (const build of intent.builds) {
    const read = await sendLog(deps, build.id, sending);
    if (build.finishedAt !== null && !isLogOver(build, read, deps.now())) areOver = false;
  }
  return areOver;
}

async function sendLog({ database }: ApiDeps, buildId: string, { stream, send }: Sending): Promise<LogRead> {
  const { positions } = stream;
  const name = `build:${buildId}`;
  for (;;) {
    const from = positions[name] ?? 0;
    const read = await readLog(database.db, name, { from, limit: linesAtOnce });
    if (read.lines.length === 0) return read;
    positions[name] = read.next;
    const data = { build: buildId, html: logLines(read.lines, from).text };
    await send(renderEvent({ event: 'log', id: encodeCursor(positions), data }));
  }
}
