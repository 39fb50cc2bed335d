/** Log lines of a node's own builds and allocations: stored once however often they are sent, and bounded per stream. */
import { LogsAnswer, LogsRequest, type LogBatch } from '../../core/contract/logs.ts';
import { notify } from '../../platform/wake/notify.ts';
import { logTopic } from '../../platform/wake/topics.ts';
import { transaction } from '../../prisma/client.ts';
import { appendLog, mayWriteLog } from '../../prisma/store/logs.ts';
import type { ApiDeps } from '../deps.ts';
import { isUuid } from '../http/ids.ts';
import { answers, type Api } from '../http/routes.ts';
import { nodeOf } from './authenticate.ts';
import { storable } from './storable.ts';

type Accepted = LogsAnswer['accepted'][number];

export function logsRoute(api: Api, deps: ApiDeps): void {
  api.post(
    '/logs',
    {
      bodyLimit: 8 * 1024 * 1024,
      schema: {
        operationId: 'sendLogs',
        summary: 'Send lines of builds and containers; a batch may be sent twice',
        tags: ['agent'],
        body: LogsRequest,
        response: answers(LogsAnswer),
      },
    },
    async (request) => {
      const { nodeId } = nodeOf(request);
      const accepted: Accepted[] = [];
      for (const batch of storable(request.body).batches) accepted.push(await append(deps, nodeId, batch));
      return { accepted };
    },
  );
}

async function append(deps: ApiDeps, nodeId: string, batch: LogBatch): Promise<Accepted> {
  if (!isUuid(batch.id)) return { ok: false, code: 'not_assigned' };
  const { database, config } = deps;
  const { kind, attempt, offset, lines, end } = batch;
  const id = batch.id.toLowerCase();
  const stream = `${kind}:${id}`;
  return transaction(database, async (tx): Promise<Accepted> => {
    const may = await mayWriteLog(tx, { nodeId, kind, id, attempt });
    if (may !== 'yes') return { ok: false, code: may };
    // Another container of an allocation goes on where one has ended.
    const fence = kind === 'build' ? { attempt, end } : { attempt: 0, end: false };
    const row = { stream, ...fence, offset, lines, at: deps.now() };
    const { added, nextOffset } = await appendLog(tx, row, config.build.maxLogBytes);
    if (added > 0 || batch.end) await notify(tx, [logTopic(stream)]);
    return { ok: true, nextOffset };
  });
}
