import { Command } from 'commander';
import { expect, it } from 'vitest';
import { dataOption } from './data-option.ts';

function folderOf(...args: string[]): unknown {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  return command.addOption(dataOption('words')).parse(args, { from: 'user' }).opts()['data'];
}

it('is a folder that somebody named, or the default', () => {
  expect(folderOf()).toBe('.landfall');
  expect(folderOf('--data', '/srv/a')).toBe('/srv/a');
  expect(() => folderOf('--data', '')).toThrow(/is empty; name a folder/);
  expect(() => folderOf('--data= ')).toThrow(/is empty; name a folder/);
});
