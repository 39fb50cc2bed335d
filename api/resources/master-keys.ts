/** `/api/v1/master-keys`: which master keys are in use, so that an older one can be dropped when it is not. */
import { MasterKeyList, type MasterKeyResource } from '../../core/contract/master-keys.ts';
import { keyIds, type MasterKeys } from '../../platform/crypto/envelope.ts';
import { secretsPerKey, type KeyUse } from '../../prisma/store/envelopes.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, type Api } from '../http/routes.ts';

export function masterKeyRoutes(api: Api, { database, masterKeys }: ApiDeps): void {
  api.get(
    '/master-keys',
    {
      schema: {
        operationId: 'listMasterKeys',
        summary: 'The master keys by name, and how many secrets are encrypted under each',
        tags: ['secrets'],
        response: answers(MasterKeyList),
      },
    },
    async () => ({ masterKeys: masterKeyResources(masterKeys, await secretsPerKey(database.db)) }),
  );
}

/** Those that are here, in their order, and those that something is encrypted under and that are not here. */
export function masterKeyResources(masterKeys: MasterKeys, uses: readonly KeyUse[]): MasterKeyResource[] {
  const [current, ...older] = keyIds(masterKeys);
  const here = new Set([current, ...older]);
  const secretsOf = (id: string): number => uses.find(({ keyId }) => keyId === id)?.secrets ?? 0;
  return [
    { id: current, state: 'current', secrets: secretsOf(current) },
    ...older.map((id) => ({ id, state: 'older' as const, secrets: secretsOf(id) })),
    ...uses
      .filter(({ keyId }) => !here.has(keyId))
      .map(({ keyId, secrets }) => ({ id: keyId, state: 'missing' as const, secrets })),
  ];
}
