/** What `landfall up` takes from the environment: which GitHub, which queue, and what its parts need to run. */
import { agentEnvironment } from './agent.ts';

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

const ofParts = ['LOG_LEVEL', 'TZ', 'NODE_EXTRA_CA_CERTS'];

/** Of every part but the server, which alone is trusted with what the environment configures. */
export function partVariables(variables: Variables = process.env): Readonly<Record<string, string>> {
  const kept = ofParts.flatMap((name) => (variables[name] === undefined ? [] : [[name, variables[name]] as const]));
  return { ...agentEnvironment(variables).variables, ...Object.fromEntries(kept) };
}
