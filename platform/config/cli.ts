/** What the CLI takes from the environment. */

export interface CliEnvironment {
  url: string | undefined;
  token: string | undefined;
}

/** LANDFALL_URL and LANDFALL_TOKEN; empty ones count as unset. */
export function cliEnvironment(variables: Readonly<Record<string, string | undefined>> = process.env): CliEnvironment {
  return { url: variables['LANDFALL_URL'] || undefined, token: variables['LANDFALL_TOKEN'] || undefined };
}
