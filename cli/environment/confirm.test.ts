import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { confirmName } from './confirm.ts';

const confirm = (typed: string, { isTTY }: { isTTY: boolean }): Promise<string> => {
  const input = Object.assign(new PassThrough(), { isTTY });
  input.end(typed);
  return confirmName('staging', { input, output: new PassThrough() }).then(
    () => 'confirmed',
    (error: unknown) => (error as Error).message,
  );
};

it('takes the name alone', async () => {
  expect(await confirm('staging\n', { isTTY: true })).toBe('confirmed');
  for (const typed of ['y\n', 'stag\n', 'staging-2\n', '\n', ''])
    expect(await confirm(typed, { isTTY: true })).toBe('Nothing was removed: another name was typed.');
});

it('does not take a yes from a pipe', async () => {
  expect(await confirm('staging\n', { isTTY: false })).toContain('Say --yes');
});
