/** The stage of a test file: one sandbox for all its tests, which must not have failed by itself at the end. */
import { afterAll, expect } from 'vitest';
import { useForAll } from '../../test/suite.ts';
import type { SandboxOptions } from '../server.ts';
import { setStage, type Stage } from './harness.ts';

export function useStage(changes: Partial<SandboxOptions> = {}): Stage {
  const stage = useForAll(() => setStage(changes));
  afterAll(async () => {
    expect(stage.sandbox.failures).toEqual([]);
    await stage.close();
  });
  return stage;
}
