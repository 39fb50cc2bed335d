/** How long the push took: from BuildKit's first word about it to the end of the build. */
import type { ProgressEvent } from './buildkit/progress.ts';

export interface PushTimer {
  readonly note: (event: ProgressEvent) => void;
  /** Milliseconds from the first push to `end`; 0 when nothing was pushed. */
  readonly until: (end: number) => number;
}

export function pushTimer(now: () => number): PushTimer {
  let startedAt: number | null = null;
  return {
    note: (event) => {
      if (startedAt === null && event.kind === 'status' && event.id.startsWith('pushing')) startedAt = now();
    },
    until: (end) => (startedAt === null ? 0 : Math.max(0, end - startedAt)),
  };
}
