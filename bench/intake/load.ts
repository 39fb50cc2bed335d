/** A process that posts signed webhooks over keep-alive connections and prints how it went, as one line of JSON. */
import { createHmac, randomUUID } from 'node:crypto';
import { Connection } from '../connection.ts';

export interface Load {
  port: number;
  path: string;
  secret: string;
  event: string;
  /** JSON of the payload, the same for all; GUIDs differ. */
  body: string;
  connections: number;
  /** Webhooks in all. */
  count: number;
  /** Webhooks a second; null: as fast as they are answered. */
  rate: number | null;
}

export interface LoadResult {
  seconds: number;
  /** Answers other than 2xx. */
  refused: number;
  /** Of acknowledgements, in milliseconds. */
  p50: number;
  p99: number;
}

/** Up to the GUID, which comes last. */
function headOf(load: Load, body: Buffer): string {
  const signature = createHmac('sha256', load.secret).update(body).digest('hex');
  return [
    `POST ${load.path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'User-Agent: GitHub-Hookshot/bench',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    `X-GitHub-Event: ${load.event}`,
    `X-Hub-Signature-256: sha256=${signature}`,
    'X-GitHub-Delivery: ',
  ].join('\r\n');
}

async function run(load: Load): Promise<LoadResult> {
  const body = Buffer.from(load.body);
  const head = headOf(load, body);
  const connections = Array.from({ length: load.connections }, () => new Connection(load.port));
  const latencies: number[] = [];
  let started = 0;
  let refused = 0;
  const begin = performance.now();
  const dueAt = (index: number): number => (load.rate === null ? 0 : begin + (index * 1000) / load.rate);
  await Promise.all(
    connections.map(async (connection) => {
      while (started < load.count) {
        const due = dueAt(started++);
        const early = due - performance.now();
        if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
        // Measured from when it was due, so that a slow answer is not hidden by what waits behind it.
        const from = load.rate === null ? performance.now() : due;
        const status = await connection.send(`${head}${randomUUID()}\r\n\r\n`, body);
        latencies.push(performance.now() - from);
        if (status < 200 || status > 299) refused++;
      }
    }),
  );
  const seconds = (performance.now() - begin) / 1000;
  for (const connection of connections) connection.end();
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  return { seconds, refused, p50: at(0.5), p99: at(0.99) };
}

const [asked] = process.argv.slice(2);
if (asked !== undefined) console.log(JSON.stringify(await run(JSON.parse(asked) as Load)));
