/** A collection of immutable rows with ids that only go up. */
import type { Row } from './model.ts';

export interface TableData<T extends Row> {
  readonly nextId: number;
  readonly rows: readonly T[];
}

export class Table<T extends Row> {
  readonly #rows = new Map<number, T>();
  readonly #changed: () => void;
  #nextId: number;

  constructor(firstId: number, changed: () => void) {
    this.#nextId = firstId;
    this.#changed = changed;
  }

  insert(row: Omit<T, 'id'>): T {
    const numbered: unknown = { ...row, id: this.#nextId };
    const inserted = numbered as T;
    this.#nextId += 1;
    this.#rows.set(inserted.id, inserted);
    this.#changed();
    return inserted;
  }

  /** Throws when the row is gone: a caller that may be late asks `find` first. */
  update(id: number, change: Partial<Omit<T, 'id'>>): T {
    const updated = { ...this.get(id), ...change };
    this.#rows.set(id, updated);
    this.#changed();
    return updated;
  }

  delete(id: number): void {
    if (this.#rows.delete(id)) this.#changed();
  }

  deleteWhere(condition: (row: T) => boolean): void {
    for (const row of this.filter(condition)) this.delete(row.id);
  }

  find(id: number): T | undefined {
    return this.#rows.get(id);
  }

  get(id: number): T {
    const row = this.#rows.get(id);
    if (row === undefined) throw new Error(`The sandbox has no row ${id} where one must be.`);
    return row;
  }

  first(condition: (row: T) => boolean): T | undefined {
    for (const row of this.#rows.values()) if (condition(row)) return row;
    return undefined;
  }

  /** In order of creation. */
  filter(condition: (row: T) => boolean): T[] {
    return [...this.#rows.values()].filter(condition);
  }

  all(): T[] {
    return [...this.#rows.values()];
  }

  dump(): TableData<T> {
    return { nextId: this.#nextId, rows: this.all() };
  }

  load(data: TableData<T>): void {
    this.#nextId = Math.max(this.#nextId, data.nextId);
    for (const row of data.rows) this.#rows.set(row.id, row);
  }
}
