/** Keeps what is known of an installation as GitHub has it, whatever the order in which its deliveries come. */
import { installationNews, type InstallationStanding } from '../../core/delivery/news.ts';
import { fetchInstallation } from '../../platform/github/installations.ts';
import {
  findInstallation,
  insertInstallation,
  replaceInstallation,
  type InstallationFacts,
} from '../../prisma/store/installations.ts';
import type { HandlerDeps, ReceivedEvent } from '../deps.ts';
import { doubtAnswer, maxRounds } from './doubt.ts';

export async function learnInstallation(
  deps: HandlerDeps,
  event: ReceivedEvent,
  told: InstallationFacts,
): Promise<void> {
  const { db } = deps.database;
  for (let round = 0; round < maxRounds; round++) {
    const known = await findInstallation(db, told.id);
    const news = installationNews(standingOf(told), known === null ? null : { ...known, ...standingOf(known) });
    if (news === 'known') return;
    if (known === null) {
      if (await insertInstallation(db, told)) return;
      continue;
    }
    const askedAt = deps.now();
    const facts = await fetchInstallation(deps.github.asApp(), told.id);
    // Uninstalled: the delivery that says so is on its way.
    if (facts === null) return;
    if (standingOf(facts).suspended !== standingOf(told).suspended) doubtAnswer(deps, event);
    if (await replaceInstallation(db, known, { facts, askedAt })) return;
  }
  throw new Error(`The installation ${told.id} changed ${maxRounds} times while GitHub was asked about it.`);
}

/** A delivery came from an installation that is known as suspended: GitHub sends none while it is. */
export async function learnUnsuspended(deps: HandlerDeps, event: ReceivedEvent, id: number): Promise<void> {
  const known = await findInstallation(deps.database.db, id);
  if (known !== null) await learnInstallation(deps, event, { ...known, suspendedAt: null });
}

function standingOf({ account, permissions, suspendedAt }: InstallationFacts): InstallationStanding {
  return { account, permissions, suspended: suspendedAt !== null };
}
