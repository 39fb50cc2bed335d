/** What the tests of a file share: each object is filled in by a hook, and can be read in the hooks after it and in every test. */
import { afterAll, beforeAll, beforeEach } from 'vitest';

/** Made once, before the first test. */
export function useForAll<T extends object>(make: () => Promise<T>): T {
  const shared = {} as T;
  beforeAll(async () => {
    Object.assign(shared, await make());
  });
  return shared;
}

/** Made anew before each test. */
export function useForEach<T extends object>(make: () => Promise<T>): T {
  const shared = {} as T;
  beforeEach(async () => {
    Object.assign(shared, await make());
  });
  return shared;
}

/** Opened before the first test, and closed after the last. */
export function useOpened<T extends { close(): Promise<void> }>(open: () => Promise<T>): T {
  const opened = useForAll(open);
  afterAll(() => opened.close());
  return opened;
}
