/** What our functions need of an Octokit: a request and its answer. A fake is one function. */
import type { TSchema, Static } from 'typebox';
import { Value } from 'typebox/value';
import { IgnoredError } from '../errors/errors.ts';
import { GithubUnavailableError } from './errors.ts';

export interface GithubResponse {
  status: number;
  headers: Record<string, string | number | undefined>;
  data: unknown;
}

export interface GithubClient {
  request(route: string, parameters?: Record<string, unknown>): Promise<GithubResponse>;
}

/** The parts of an answer that are used. An answer without them is GitHub's failure: tried again, not worked on. */
export function parseAnswer<S extends TSchema>(schema: S, response: GithubResponse): Static<S> {
  if (Value.Check(schema, response.data)) return response.data;
  const where = [...Value.Errors(schema, response.data)][0]?.instancePath ?? '';
  throw new GithubUnavailableError(
    `GitHub's answer lacks what is used of it, at ${where === '' ? 'its root' : where}.`,
  );
}

/** The answer, or null when there is nothing at the route. */
export async function requestOrNull(
  client: GithubClient,
  route: string,
  parameters: Record<string, unknown>,
): Promise<GithubResponse | null> {
  try {
    return await client.request(route, parameters);
  } catch (error) {
    if (error instanceof IgnoredError && error.code === 'github_not_found') return null;
    throw error;
  }
}
