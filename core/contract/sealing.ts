/** What a sealed text is bound to: both sides name it the same way, so that a text sealed for one use never opens in another. */

/** The token for the source of one attempt of one build. */
export function sourceTokenContext(claim: { workItemId: string; attempt: number }): string {
  return `landfall/source-token/${claim.workItemId}/${claim.attempt}`;
}

/** JSON `{ username, password }` for one registry, `host:port`. */
export function registryContext(host: string): string {
  return `landfall/registry/${host}`;
}

/** JSON object of names and values of one service's secrets. */
export function secretsContext(serviceId: string): string {
  return `landfall/secrets/${serviceId}`;
}

/** The private key of a certificate, PEM, for the proxies that show it. `digest` names the certificate. */
export function certificateContext(digest: string): string {
  return `landfall/certificate/${digest}`;
}
