/** What `landfall up` takes from the environment: which GitHub, and which queue. */

export interface UpEnvironment {
  github: 'configured' | 'sandbox';
  queueUrl: string | null;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** As `loadConfig` reads them: an empty variable is one that is not set. */
export function upEnvironment(variables: Variables = process.env): UpEnvironment {
  const value = (name: string): string | null => variables[name] || null;
  return {
    github: value('GITHUB_APP_ID') === null ? 'sandbox' : 'configured',
    queueUrl: value('QUEUE_URL'),
  };
}
