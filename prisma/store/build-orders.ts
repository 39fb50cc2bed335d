/** What a node needs to know of the build that it has claimed. */
import Value from 'typebox/value';
import type { BuildOrder } from '../../core/contract/work.ts';
import { BuildSpec } from '../../core/spec/service.ts';
import type { Db } from '../client.ts';
import { safeNumber } from './safe-number.ts';
import type { WorkHold } from './work-items.ts';

export interface BuildOrderRow extends Pick<BuildOrder, 'buildId' | 'repositoryId' | 'sha' | 'spec' | 'imageName'> {
  /** The repository's, as GitHub calls it now. */
  owner: string;
  name: string;
  /** Of the node, X25519, raw, base64url. */
  sealingKey: string;
}

/** Null unless the node holds this attempt. */
export async function loadBuildOrder(db: Db, { id, nodeId, attempt }: WorkHold): Promise<BuildOrderRow | null> {
  const row = await db.workItem.findFirst({
    where: { id, nodeId, attempt, status: 'claimed' },
    include: { node: true, build: { include: { project: { include: { repository: true } } } } },
  });
  if (row?.build?.imageName == null) return null;
  const { build, node } = row;
  const { repository } = build.project;
  return {
    buildId: build.id,
    repositoryId: safeNumber(repository.id),
    sha: build.sha,
    spec: Value.Parse(BuildSpec, build.spec),
    imageName: row.build.imageName,
    owner: repository.owner,
    name: repository.name,
    sealingKey: node.sealingKey,
  };
}
