/** Goes on with a log from page to page, also over a restart of the control plane. */
import type { LogPage } from '../../core/contract/resources/log-pages.ts';
import { isPassing } from '../client.ts';

export interface Following {
  /** What comes after the cursor. Waits a while when there is nothing yet. */
  read: (cursor: string | null) => Promise<LogPage>;
  show: (page: LogPage) => void;
  /** To the person who watches, beside the log. */
  say: (sentence: string) => void;
  pause: () => Promise<unknown>;
}

/** The same cursor again until it is answered, so that no line is left out or comes twice. Throws what the control plane refuses. */
async function readNext(cursor: string | null, { read, say, pause }: Following): Promise<LogPage> {
  for (let failures = 0; ; failures++) {
    try {
      const page = await read(cursor);
      if (failures > 0) say('The control plane answers again; the log goes on.');
      return page;
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (failures === 0) say(`Waiting for the control plane, to go on then; Ctrl-C ends it. ${error.message}`);
      await pause();
    }
  }
}

/** Resolves when nothing comes any more. */
export async function followLog(first: LogPage, following: Following): Promise<void> {
  let page = first;
  while (!page.ended) {
    // Without a cursor there is no line to go on from yet, and nothing to wait on.
    if (page.cursor === null) await following.pause();
    page = await readNext(page.cursor, following);
    following.show(page);
  }
}
