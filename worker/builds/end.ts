/** Ends a build for a reason of the control plane's, and stops what works on it. */
import type { Db } from '../../prisma/client.ts';
import { cancelBuildWork, changeBuild, type BuildSnapshot } from '../../prisma/store/builds.ts';
import { bumpNodes } from '../../prisma/store/nodes.ts';
import type { ReasonCode } from '../../core/intent/reasons.ts';

export interface BuildEnd {
  status: 'failed' | 'cancelled' | 'superseded';
  code: ReasonCode;
  reason: string;
}

/** Gives the build's new version; null when another writer was first, and nothing was done. */
export async function endBuild(
  tx: Db,
  { build }: Pick<BuildSnapshot, 'build'>,
  { status, code, reason, at }: BuildEnd & { at: Date },
): Promise<number | null> {
  const version = await changeBuild(tx, build, { status, reasonCode: code, reason, finishedAt: at });
  if (version !== null) await bumpNodes(tx, await cancelBuildWork(tx, build.id, code));
  return version;
}
