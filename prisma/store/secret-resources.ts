/** Secrets as people and the CLI see them: names, versions and who uses them, never values. */
import type { SecretList, SecretResource } from '../../core/contract/resources/secrets.ts';
import { resolveSecrets } from '../../core/secret/versions.ts';
import type { Db, Prisma } from '../client.ts';
import { iso } from './iso.ts';
import { runningServices } from './secret-rollouts.ts';
import { configuredNeeds, secretsInForce, type SecretName } from './secrets.ts';

/** All but the value. */
const select = {
  id: true,
  service: true,
  name: true,
  version: true,
  setBy: true,
  createdAt: true,
} as const satisfies Prisma.SecretSelect;

type SecretRow = Prisma.SecretGetPayload<{ select: typeof select }>;

/** By name, those of the whole environment first. */
export async function secretResources(db: Db, environmentId: string): Promise<SecretList> {
  const inForce = await secretsInForce(db, environmentId);
  const rows = await db.secret.findMany({
    where: { id: { in: inForce.map(({ id }) => id) } },
    select,
    orderBy: [{ name: 'asc' }, { service: 'asc' }],
  });
  const uses = await usesOf(db, environmentId);
  const needs = await configuredNeeds(db, environmentId);
  return {
    secrets: rows.map((row) => toResource(row, uses)),
    missing: needs.flatMap((need) =>
      resolveSecrets(need, inForce).missing.map((name) => ({ service: need.service, name })),
    ),
  };
}

/** Of a secret that is in force. */
export async function secretResource(db: Db, secret: SecretName): Promise<SecretResource> {
  const row = await db.secret.findFirstOrThrow({
    where: { ...secret, removedAt: null },
    select,
    orderBy: { version: 'desc' },
  });
  return toResource(row, await usesOf(db, secret.environmentId));
}

interface Use {
  /** Which runs with it. */
  by: string;
  /** The secret's own service; empty for one of the whole environment. */
  service: string;
  name: string;
  version: number;
}

async function usesOf(db: Db, environmentId: string): Promise<Use[]> {
  const services = await runningServices(db, environmentId);
  const ids = services.flatMap(({ pins }) => pins.map(({ secretId }) => secretId));
  const rows = await db.secret.findMany({
    where: { id: { in: ids } },
    select: { id: true, service: true, name: true, version: true },
  });
  const byId = new Map(rows.map((row) => [row.id, row]));
  return services.flatMap(({ service: by, pins }) =>
    pins.flatMap(({ secretId }) => {
      const row = byId.get(secretId);
      return row === undefined ? [] : [{ by, service: row.service, name: row.name, version: row.version }];
    }),
  );
}

function toResource({ service, name, version, setBy, createdAt }: SecretRow, uses: readonly Use[]): SecretResource {
  return {
    name,
    service: service === '' ? null : service,
    version,
    setBy,
    setAt: iso(createdAt),
    usedBy: uses
      .filter((use) => use.name === name && use.service === service)
      .map((use) => ({ service: use.by, version: use.version })),
  };
}
