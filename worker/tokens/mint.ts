/** Mints the token of one build attempt: one repository, contents: read, sealed to the one node that claimed it (P62). */
import { sourceTokenContext } from '../../core/contract/sealing.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import { seal } from '../../platform/crypto/sealing.ts';
import { loadSourceTokenRequest, storeSourceToken } from '../../prisma/store/source-tokens.ts';
import type { WorkerDeps } from '../deps.ts';

/** Throws IgnoredError when nobody waits for the token any more. */
export async function mintSourceToken(deps: WorkerDeps, claim: { workItemId: string; attempt: number }): Promise<void> {
  const request = await loadSourceTokenRequest(deps.database.db, claim);
  if (request === null) throw new IgnoredError('not_claimed', 'The work is not claimed under this attempt any more.');
  const { token } = await deps.github.mintSourceToken(request);
  await storeSourceToken(
    deps.database.db,
    claim,
    seal(request.sealingKey, Buffer.from(token), sourceTokenContext(claim)),
  );
}
