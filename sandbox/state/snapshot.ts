/** Keeps the tables in one JSON file: written atomically a moment after a change, read back at start. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Delivery } from './model.ts';
import type { TableData } from './table.ts';
import type { Tables } from './tables.ts';

const version = 1;
const debounceMilliseconds = 200;

/** Delivered webhooks carry large payloads and are of no use after a restart; failed ones can still be asked for. */
function isWorthKeeping(delivery: Delivery): boolean {
  return delivery.outcome.kind !== 'answered' || delivery.outcome.statusCode >= 400;
}

function serialize(tables: Tables): string {
  const dumped = Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, table.dump()]));
  const deliveries = tables.deliveries.dump();
  return JSON.stringify({
    version,
    tables: { ...dumped, deliveries: { ...deliveries, rows: deliveries.rows.filter(isWorthKeeping) } },
  });
}

export async function loadSnapshot(file: string, tables: Tables): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return;
  const snapshot = JSON.parse(text) as { version: number; tables: Record<string, TableData<never>> };
  if (snapshot.version !== version)
    throw new Error(
      `${file} has format ${snapshot.version}, this sandbox reads ${version}: remove its data directory.`,
    );
  for (const [name, table] of Object.entries(tables)) {
    const data = snapshot.tables[name];
    if (data !== undefined) table.load(data);
  }
}

export class SnapshotWriter {
  readonly #file: string;
  readonly #tables: Tables;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: string, tables: Tables) {
    this.#file = file;
    this.#tables = tables;
  }

  /** A change happened; it reaches the disk within the debounce time. */
  touch(): void {
    if (!this.#closed) this.#timer ??= setTimeout(() => void this.flush(), debounceMilliseconds);
  }

  /** The last word: what changes later is not kept. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
  }

  /** Everything so far is on disk when this resolves. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
  }

  async #write(): Promise<void> {
    const temporary = `${this.#file}.new`;
    await writeFile(temporary, serialize(this.#tables), { mode: 0o600 });
    await rename(temporary, this.#file);
  }
}
