/** Deletes a batch of each kind of history that nobody needs any more; one kind that fails does not keep the others. */
import { histories } from '../../prisma/store/history.ts';
import type { WorkerDeps } from '../deps.ts';
import { each } from '../each.ts';

export async function deleteHistory({ database: { db }, log, now }: WorkerDeps): Promise<void> {
  await each(histories, 'kinds of old rows could not be deleted', async ({ what, deleteSome }) => {
    const count = await deleteSome(db, now());
    if (count > 0) log.debug({ count }, `deleted old ${what}`);
  });
}
