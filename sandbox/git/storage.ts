/** Where the bare repositories lie, what their refs were last, and one writer at a time for each. */
import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readRefs, refChanges, type RefChange, type Refs } from './refs.ts';
import { initRepository } from './write.ts';

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
    const taken = await access(directory).then(
      () => true,
      () => false,
    );
    if (taken)
      throw new Error(`${directory} exists, but the sandbox's state does not know it: remove the data directory.`);
    await initRepository(directory, defaultBranch);
    this.#refs.set(repositoryId, new Map());
  }

  /** Runs `change` when no other write to this repository runs, and answers which refs it moved. */
  async write<T>(repositoryId: number, change: () => Promise<T>): Promise<{ result: T; changes: RefChange[] }> {
    const earlier = this.#writers.get(repositoryId) ?? Promise.resolve();
    const turn = earlier.then(() => this.#writeNow(repositoryId, change));
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#writers.set(repositoryId, settled);
    return turn;
  }

  async #writeNow<T>(repositoryId: number, change: () => Promise<T>): Promise<{ result: T; changes: RefChange[] }> {
    const before = await this.#known(repositoryId);
    const result = await change();
    const after = await readRefs(this.directory(repositoryId));
    this.#refs.set(repositoryId, after);
    return { result, changes: refChanges(before, after) };
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
