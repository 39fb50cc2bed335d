/** The GitHub App as the processes use it. Constructed in main files only, and handed on. */
import type { Logger } from 'pino';
import Type from 'typebox';
import { InputError } from '../errors/errors.ts';
import { parseAnswer } from './client.ts';
import type { Fetch } from './fetch.ts';
import { createOctokit, type Octokit, type OctokitSettings } from './octokit.ts';
import { isSignedBy } from './webhook-signature.ts';

export interface GithubAppOptions {
  appId: number;
  /** PEM. */
  privateKey: string;
  webhookSecret: string;
  /** Base of the REST API: `https://api.github.com`, or `<url>/api/v3` of a GitHub Enterprise Server and of the sandbox. */
  apiUrl: string;
  log: Logger;
  /** Milliseconds until a request to GitHub is given up; 10,000 by default. */
  deadlineMs?: number;
  /** Spaces writes as GitHub asks; enabled by default. */
  throttle?: { enabled: boolean };
  now?: () => Date;
  /** What requests go through; Node's own by default. */
  fetch?: Fetch;
}

export interface SourceToken {
  token: string;
  expiresAt: Date;
}

export interface GithubApp {
  /** The one Octokit of an installation, with its own throttle. */
  forInstallation(installationId: number): Promise<Octokit>;
  /** For the routes under `/app`. */
  asApp(): Octokit;
  /** A fresh token that reads the contents of one repository, and nothing else. Never cached. */
  mintSourceToken(of: { installationId: number; repositoryId: number }): Promise<SourceToken>;
  /** Whether the webhook's raw bytes were signed with our secret. */
  verify(rawBody: Buffer, signature: string): boolean;
}

/** Octokits kept; beyond it, the one used longest ago is made anew when it is wanted. */
const maxOctokits = 1_000;

export function createGithubApp(options: GithubAppOptions): GithubApp {
  if (options.webhookSecret === '') {
    throw new InputError(
      'webhook_secret_missing',
      'The GitHub App has no webhook secret; anyone could post webhooks.',
      {
        path: 'GITHUB_WEBHOOK_SECRET',
      },
    );
  }
  const settings: OctokitSettings = {
    ...options,
    deadlineMs: options.deadlineMs ?? 10_000,
    throttle: options.throttle ?? { enabled: true },
    now: options.now ?? (() => new Date()),
    fetch: options.fetch ?? globalThis.fetch,
  };
  const app = createOctokit(settings, null);
  const installations = new Map<number, Octokit>();
  const forInstallation: GithubApp['forInstallation'] = (installationId) => {
    const octokit = installations.get(installationId) ?? createOctokit(settings, installationId);
    installations.delete(installationId);
    installations.set(installationId, octokit);
    const oldest = installations.keys().next();
    if (installations.size > maxOctokits && oldest.done !== true) installations.delete(oldest.value);
    return Promise.resolve(octokit);
  };
  return {
    forInstallation,
    asApp: () => app,
    mintSourceToken: async (of) => mintSourceToken(await forInstallation(of.installationId), of),
    verify: (rawBody, signature) => isSignedBy(options.webhookSecret, rawBody, signature),
  };
}

const MintedToken = Type.Object({ token: Type.String({ minLength: 1 }), expires_at: Type.String() });

async function mintSourceToken(
  app: Octokit,
  of: { installationId: number; repositoryId: number },
): Promise<SourceToken> {
  const response = await app.request('POST /app/installations/{installation_id}/access_tokens', {
    installation_id: of.installationId,
    repository_ids: [of.repositoryId],
    permissions: { contents: 'read' },
  });
  const minted = parseAnswer(MintedToken, response);
  return { token: minted.token, expiresAt: new Date(minted.expires_at) };
}
