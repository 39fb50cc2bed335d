/** Decides whether a request names this machine: a page elsewhere can make its own name point here, and then reads what it is answered. */

const loopback = ['localhost', '127.0.0.1', '[::1]'];

/** @param header The request's Host. @param listening The address that the sandbox listens on. */
export function isOwnHost(header: string | undefined, listening: string): boolean {
  const address = `http://${header ?? ''}`;
  return URL.canParse(address) && [...loopback, listening].includes(new URL(address).hostname);
}
