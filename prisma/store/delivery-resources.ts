/** Deliveries as people and the CLI see them: without their payloads, with what was pushed and why it was not deployed. */
import type { DeliveryResource, DeliveryStatus } from '../../core/contract/resources/deliveries.ts';
import { isReasonCode, reasons } from '../../core/intent/reasons.ts';
import type { Db, Prisma } from '../client.ts';
import { iso } from './iso.ts';

export interface DeliveryQuery {
  /** `owner/name`, as GitHub calls it now. */
  repository?: string;
  status?: DeliveryStatus;
  /** Those of events that nothing handles, too. */
  unhandled: boolean;
  /** Only those that came before the one of this GUID. */
  before?: string;
  limit: number;
}

const columns = {
  ...{ guid: true, event: true, action: true, repositoryId: true, status: true, attempts: true },
  ...{ reasonCode: true, reason: true, receivedAt: true, processedAt: true },
} as const satisfies Prisma.DeliverySelect;

const handled = {
  OR: [{ reasonCode: null }, { reasonCode: { not: 'event_unhandled' } }],
} satisfies Prisma.DeliveryWhereInput;

type DeliveryRow = Prisma.DeliveryGetPayload<{ select: typeof columns }>;

/** Newest first. */
export async function deliveryResources(db: Db, query: DeliveryQuery): Promise<DeliveryResource[]> {
  const { repository, status, unhandled, before, limit } = query;
  const rows = await db.delivery.findMany({
    where: {
      ...(repository === undefined ? {} : { repositoryId: { in: await repositoriesCalled(db, repository) } }),
      ...(status === undefined ? {} : { status }),
      ...(unhandled ? {} : handled),
    },
    select: columns,
    orderBy: [{ receivedAt: 'desc' }, { guid: 'desc' }],
    take: limit,
    ...(before === undefined ? {} : { cursor: { guid: before }, skip: 1 }),
  });
  const about = await subjectsOf(db, rows);
  return rows.map((row) => deliveryResource(row, about));
}

/** Several, when a name was freed and taken again. GitHub does not tell names apart by case. */
async function repositoriesCalled(db: Db, fullName: string): Promise<bigint[]> {
  const [owner = '', name = ''] = fullName.split('/');
  // Prisma compares without case by ILIKE, to which `_` is any character.
  const rows = await db.$queryRaw<{ id: bigint }[]>`
    SELECT id FROM "Repository" WHERE lower(owner) = lower(${owner}) AND lower(name) = lower(${name})`;
  return rows.map(({ id }) => id);
}

interface Subjects {
  /** Repository → `owner/name`. */
  names: ReadonlyMap<bigint | null, string>;
  /** GUID → what was pushed. */
  heads: ReadonlyMap<string, { ref: string; sha: string }>;
}

async function subjectsOf(db: Db, rows: readonly DeliveryRow[]): Promise<Subjects> {
  const ids = [...new Set(rows.flatMap(({ repositoryId }) => repositoryId ?? []))];
  const guids = rows.filter(({ event }) => event === 'push').map(({ guid }) => guid);
  const [repositories, heads] = await Promise.all([
    db.repository.findMany({ where: { id: { in: ids } }, select: { id: true, owner: true, name: true } }),
    db.head.findMany({
      where: { repositoryId: { in: ids }, deliveryGuid: { in: guids } },
      select: { deliveryGuid: true, ref: true, sha: true },
    }),
  ]);
  return {
    names: new Map(repositories.map(({ id, owner, name }) => [id, `${owner}/${name}`])),
    heads: new Map(heads.map(({ deliveryGuid, ref, sha }) => [deliveryGuid, { ref, sha }])),
  };
}

function deliveryResource(row: DeliveryRow, { names, heads }: Subjects): DeliveryResource {
  const { guid, event, action, repositoryId, status, reasonCode, reason, attempts } = row;
  const head = heads.get(guid);
  return {
    ...{ guid, event, action, status, reasonCode, reason, attempts },
    repository: names.get(repositoryId) ?? null,
    ref: head?.ref ?? null,
    sha: head?.sha ?? null,
    todo: reasonCode !== null && isReasonCode(reasonCode) ? reasons[reasonCode].todo : null,
    receivedAt: iso(row.receivedAt),
    processedAt: iso(row.processedAt),
  };
}
