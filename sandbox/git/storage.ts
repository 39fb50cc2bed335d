/** Where the bare repositories lie, what their refs were last, and one writer at a time for each. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readRefs, refChanges, type RefChange, type Refs } from './refs.ts';
import { initRepository } from './write.ts';

export interface Write<T> {
  readonly change: () => Promise<T>;
  readonly follow: (changes: readonly RefChange[], result: T) => Promise<void>;
}

export class GitStorage {
  readonly root: string;
  readonly #refs = new Map<number, Refs>();
  readonly #writers = new Map<number, Promise<unknown>>();

  constructor(root: string) {
    this.root = root;
  }

  /** Named by id, so that a rename moves nothing. */
  folder(repositoryId: number): string {
    return `${repositoryId}.git`;
  }

  directory(repositoryId: number): string {
    return join(this.root, this.folder(repositoryId));
  }

  async create(repositoryId: number, defaultBranch: string): Promise<void> {
    await mkdir(this.root, { recursive: true });
    const directory = this.directory(repositoryId);
    // A run that was killed before it wrote the repository down leaves its folder behind.
    await rm(directory, { recursive: true, force: true });
    await initRepository(directory, defaultBranch);
    this.#refs.set(repositoryId, new Map());
  }

  /**
   * Runs `change` when no other write to this repository runs, then `follow` with the refs it moved, before the next
   * write begins: what follows from one push is done before the next one is looked at.
   */
  async write<T>(repositoryId: number, { change, follow }: Write<T>): Promise<T> {
    const earlier = this.#writers.get(repositoryId) ?? Promise.resolve();
    const turn = earlier.then(async () => {
      const before = await this.#known(repositoryId);
      const result = await change();
      const after = await readRefs(this.directory(repositoryId));
      this.#refs.set(repositoryId, after);
      await follow(refChanges(before, after), result);
      return result;
    });
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#writers.set(repositoryId, settled);
    return turn;
  }

  async #known(repositoryId: number): Promise<Refs> {
    const known = this.#refs.get(repositoryId);
    if (known !== undefined) return known;
    const read = await readRefs(this.directory(repositoryId));
    this.#refs.set(repositoryId, read);
    return read;
  }

  /** Branches and tags as they are now, by full name. */
  async refs(repositoryId: number): Promise<Refs> {
    return this.#known(repositoryId);
  }

  /** After the writes that are under way. */
  async remove(repositoryId: number): Promise<void> {
    await this.#writers.get(repositoryId);
    this.#refs.delete(repositoryId);
    await rm(this.directory(repositoryId), { recursive: true, force: true });
  }
}
