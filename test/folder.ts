/** A folder of the test that runs, removed when it has ended. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

export function testFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'landfall-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
