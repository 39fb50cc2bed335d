/** Whether the log of a build is over. Its last lines come after the build's own end, so that end alone says nothing. */
import type { BuildResource } from '../../core/contract/resources/builds.ts';
import type { LogRead } from '../../prisma/store/logs.ts';

/** How long after the end of a build its last lines are waited for, when its node does not say that there are none. */
export const lastLinesMs = 10_000;

type EndedBuild = Pick<BuildResource, 'attempt' | 'startedAt' | 'finishedAt'>;

/** @param read What was read after the build. */
export function isLogOver(build: EndedBuild, read: Pick<LogRead, 'isLast' | 'endedAttempt'>, now: Date): boolean {
  if (build.finishedAt === null || !read.isLast) return false;
  if (build.startedAt === null || read.endedAttempt === build.attempt) return true;
  return now.getTime() - Date.parse(build.finishedAt) >= lastLinesMs;
}
