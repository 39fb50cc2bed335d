/** `--data DIR`: the folder of a local `landfall up`. */
import { InvalidArgumentError, Option } from 'commander';

export function dataOption(description: string): Option {
  return new Option('--data <dir>', description).default('.landfall').argParser(namedFolder);
}

/** What an unset variable leaves behind would be the folder that the command runs in, with the keys among the sources. */
function namedFolder(value: string): string {
  if (value.trim() === '') throw new InvalidArgumentError('It is empty; name a folder.');
  return value;
}
