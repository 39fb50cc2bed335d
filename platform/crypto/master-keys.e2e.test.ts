import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { testFolder } from '../../test/folder.ts';
import { keysFromCommand } from './master-keys.ts';

it('takes keys from a program, and says why there are none without saying what it printed', async () => {
  const program = (script: string): string => {
    const file = path.join(testFolder(), 'key');
    writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
    return file;
  };
  const key = Buffer.alloc(32, 9).toString('base64');
  expect((await keysFromCommand(program(`echo ${key}; echo ${Buffer.alloc(32).toString('base64')}`))).keys).toEqual([
    Buffer.alloc(32, 9),
    Buffer.alloc(32),
  ]);
  await expect(keysFromCommand(program('echo canary; echo no access >&2; exit 3'))).rejects.toThrow(
    /gave no master key: it ended with 3, no access\.$/,
  );
  await expect(keysFromCommand(program('echo Y2FuYXJ5'))).rejects.toThrow(/printed holds a line that is not a key/);
  await expect(keysFromCommand('/nowhere/key')).rejects.toThrow(/ENOENT/);
});
