/** LANDFALL_ACCESS_TOKEN: in force for as long as the variable holds it. */
import { hashToken } from '../../platform/crypto/hash.ts';
import type { Logger } from '../../platform/log/log.ts';
import { transaction, type Database } from '../../prisma/client.ts';
import { configuredName, lockAccessTokens, replaceConfiguredToken } from '../../prisma/store/access-tokens.ts';
import { recordAuditEvent } from '../../prisma/store/audit-events.ts';

export interface ConfiguredAccess {
  database: Database;
  /** Null: the variable is not set. */
  token: string | null;
  log: Logger;
  now: () => Date;
}

/** Makes the variable's token known, and revokes the one that it held before. */
export async function keepConfiguredToken({ database, token, log, now }: ConfiguredAccess): Promise<void> {
  const at = now();
  const found = await transaction(database, async (tx) => {
    await lockAccessTokens(tx);
    const configured = await replaceConfiguredToken(tx, token === null ? null : hashToken(token), at);
    const event = { actor: 'landfall', at };
    for (const { id } of configured.replaced)
      await recordAuditEvent(tx, {
        ...{ ...event, action: 'token.revoked', subject: `token:${id}` },
        reason: `${configuredName} does not hold it any more.`,
      });
    if (configured.token?.isNew === true)
      await recordAuditEvent(tx, {
        ...{ ...event, action: 'token.added', subject: `token:${configured.token.id}` },
        reason: `${configuredName} holds it.`,
      });
    return configured;
  });
  if (found.replaced.length > 0) log.info({ tokens: found.replaced.length }, `${configuredName} changed: revoked`);
  if (found.token?.inForce === false) log.warn(`${configuredName} holds a token that was revoked; set another.`);
}
