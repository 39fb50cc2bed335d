/** Server-sent events on one connection: as fast as the reader takes them, and nothing kept for one who does not. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

export interface ServerEvent {
  event: string;
  data: unknown;
  /** What the browser sends as Last-Event-ID when it connects again. */
  id?: string;
}

export function renderEvent({ event, data, id }: ServerEvent): string {
  const lines = [`event: ${event}`, ...(id === undefined ? [] : [`id: ${id}`]), `data: ${JSON.stringify(data)}`];
  return `${lines.join('\n')}\n\n`;
}

/** Waits until the connection has taken it. Does nothing once it is gone. */
export async function writeEvent(raw: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted || raw.destroyed || raw.write(text)) return;
  try {
    await once(raw, 'drain', { signal });
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
  }
}
