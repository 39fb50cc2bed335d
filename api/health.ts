/** Whether the process lives, and whether it can do its work: for load balancers and whoever starts it. */
import Type from 'typebox';
import { ErrorAnswer } from '../core/contract/error.ts';
import { ApiError } from '../platform/errors/api-codes.ts';
import { codeOf } from '../platform/errors/classify.ts';
import type { ApiDeps } from './deps.ts';
import type { Api } from './http/routes.ts';

const Healthy = Type.Object({ ok: Type.Literal(true) });

export function healthRoutes(api: Api, deps: ApiDeps): void {
  api.get(
    '/healthz',
    { schema: { operationId: 'isAlive', tags: ['health'], response: { 200: Healthy } } },
    () => ({ ok: true }) as const,
  );
  api.get(
    '/readyz',
    { schema: { operationId: 'isReady', tags: ['health'], response: { 200: Healthy, 503: ErrorAnswer } } },
    async () => {
      for (const { name, check } of checksOf(deps)) await passes(name, check);
      return { ok: true } as const;
    },
  );
}

interface Check {
  name: string;
  check: () => Promise<unknown>;
}

/** The schema is there when the newest of its tables can be read: migrations are applied before anything serves. */
function checksOf({ database, queues }: ApiDeps): Check[] {
  return [
    { name: 'database', check: () => database.pool.query('SELECT 1 FROM "AccessToken" LIMIT 1') },
    { name: 'queue', check: () => queues.ping() },
  ];
}

const patienceMs = 3_000;

async function passes(name: string, check: () => Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new ApiError('unavailable', `The ${name} does not answer.`)), patienceMs);
  });
  try {
    await Promise.race([check(), late]);
  } catch (error) {
    throw error instanceof ApiError
      ? error
      : new ApiError('unavailable', `The ${name} cannot be used: ${codeOf(error)}.`);
  } finally {
    clearTimeout(timer);
  }
}
