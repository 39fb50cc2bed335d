/** What `landfall up` takes from the environment: which GitHub, and which queue. */

export interface UpEnvironment {
  github: 'configured' | 'sandbox';
  queueUrl: string | null;
}

export function upEnvironment(variables: Readonly<Record<string, string | undefined>> = process.env): UpEnvironment {
  return {
    github: variables['GITHUB_APP_ID'] === undefined ? 'sandbox' : 'configured',
    queueUrl: variables['QUEUE_URL'] ?? null,
  };
}
