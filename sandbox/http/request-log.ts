/** Every REST request the sandbox answered, so that a test can count what a deploy costs. */

export interface LoggedRequest {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** GitHub's operation id, or `null` when nothing is served there. */
  readonly operation: string | null;
  readonly status: number;
  readonly milliseconds: number;
  readonly installationId: number | null;
  readonly actor: string;
  /** The request asked to change something other than its own credentials. */
  readonly write: boolean;
}

const kept = 50_000;
const credentialOperations = new Set([
  'apps/create-installation-access-token',
  'apps/revoke-installation-access-token',
  'apps/redeliver-webhook-delivery',
]);

export function isWrite(method: string, operation: string | null): boolean {
  return method !== 'GET' && method !== 'HEAD' && (operation === null || !credentialOperations.has(operation));
}

export class RequestLog {
  #requests: LoggedRequest[] = [];

  add(request: LoggedRequest): void {
    this.#requests.push(request);
    if (this.#requests.length > kept) this.#requests = this.#requests.slice(kept / 2);
  }

  list(): readonly LoggedRequest[] {
    return this.#requests;
  }

  writes(): readonly LoggedRequest[] {
    return this.#requests.filter(({ write }) => write);
  }

  reset(): void {
    this.#requests = [];
  }
}
