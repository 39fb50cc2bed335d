/** Files of a repository at a commit or branch. */
import Type from 'typebox';
import { InputError } from '../errors/errors.ts';
import { parseAnswer, requestOrNull, type GithubClient } from './client.ts';

export interface FileAt {
  repositoryId: number;
  /** Relative to the repository's root. */
  path: string;
  /** A commit's SHA or a branch. */
  ref: string;
}

/** Larger files are none that a person wrote as configuration. */
export const maxFileBytes = 256 * 1024;

const Entry = Type.Object({
  type: Type.Union([Type.Literal('file'), Type.Literal('symlink'), Type.Literal('submodule')]),
  size: Type.Integer(),
  encoding: Type.Optional(Type.String()),
  content: Type.Optional(Type.String()),
});

export type EntryFound =
  | { kind: 'file'; bytes: Buffer }
  /** A symbolic link is one that leads to no file of the repository: GitHub follows the others. */
  | { kind: 'directory' | 'symlink' | 'submodule' }
  | { kind: 'nothing' };

/** What stands at the path. @throws InputError for a file that is too large. */
export async function fetchEntry(client: GithubClient, file: FileAt): Promise<EntryFound> {
  const response = await requestOrNull(client, 'GET /repositories/{repository_id}/contents/{+path}', {
    repository_id: file.repositoryId,
    path: file.path.split('/').map(encodeURIComponent).join('/'),
    ref: file.ref,
  });
  if (response === null) return { kind: 'nothing' };
  if (Array.isArray(response.data)) return { kind: 'directory' };
  const entry = parseAnswer(Entry, response);
  if (entry.type !== 'file') return { kind: entry.type };
  if (entry.size > maxFileBytes) {
    throw new InputError('file_too_large', `${file.path} has ${entry.size} bytes; at most ${maxFileBytes} are read.`, {
      path: file.path,
    });
  }
  return { kind: 'file', bytes: Buffer.from(entry.content ?? '', 'base64') };
}
