/** Mints the token of one build attempt: one repository, contents: read, sealed to the one node that claimed it (P62). */
import { sourceTokenContext } from '../../core/contract/sealing.ts';
import { seal } from '../../platform/crypto/sealing.ts';
import { classify } from '../../platform/errors/classify.ts';
import { IgnoredError } from '../../platform/errors/errors.ts';
import { advanceBuild } from '../../platform/queue/jobs.ts';
import { transaction } from '../../prisma/client.ts';
import { loadBuild } from '../../prisma/store/builds.ts';
import {
  loadSourceTokenRequest,
  storeSourceToken,
  wakeClaim,
  type Claim,
  type SourceTokenRequest,
} from '../../prisma/store/source-tokens.ts';
import { endBuild } from '../builds/end.ts';
import type { WorkerDeps } from '../deps.ts';

/** Throws IgnoredError when nobody waits for the token any more. */
export async function mintSourceToken(deps: WorkerDeps, claim: Claim): Promise<void> {
  const { db } = deps.database;
  const request = await loadSourceTokenRequest(db, claim);
  if (request === null) throw new IgnoredError('not_claimed', 'The work is not claimed under this attempt any more.');
  const token = await mint(deps, request);
  if (token.ok) await storeSourceToken(db, claim, seal(request.sealingKey, token.text, sourceTokenContext(claim)));
  else await failBuild(deps, request.buildId, token.reason);
  // The build goes on, or has ended: its intents are told either way.
  const { build } = await loadBuild(db, request.buildId);
  await deps.queues.enqueue(advanceBuild, { buildId: build.id, version: build.version });
  if (!token.ok) await wakeClaim(db, claim);
}

type Minted = { ok: true; text: Buffer } | { ok: false; reason: string };

/** What GitHub will not give however often it is asked for ends the build with its reason. */
async function mint(deps: WorkerDeps, request: SourceTokenRequest): Promise<Minted> {
  try {
    const { token } = await deps.github.mintSourceToken(request);
    return { ok: true, text: Buffer.from(token) };
  } catch (error) {
    const found = classify(error);
    if (found.policy !== 'stalled' && found.policy !== 'ignored') throw error;
    return { ok: false, reason: found.message };
  }
}

async function failBuild(deps: WorkerDeps, buildId: string, reason: string): Promise<void> {
  const end = { status: 'failed', code: 'source_unavailable', reason, at: deps.now() } as const;
  await transaction(deps.database, async (tx) => {
    const snapshot = await loadBuild(tx, buildId);
    if (snapshot.build.finishedAt === null) await endBuild(tx, snapshot, end);
  });
}
