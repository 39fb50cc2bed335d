/** Answers `landfall --version` before anything is prepared: a fresh clone says what it is at once. */
import path from 'node:path';
import { readJson } from './content.mjs';

const flags = ['--version', '-V'];

/** @param {string[]} args @param {string} root Of the package. @returns {string | null} Null when something else is asked. */
export function askedVersion(args, root) {
  return args.length === 1 && flags.includes(args[0]) ? readJson(path.join(root, 'package.json')).version : null;
}
