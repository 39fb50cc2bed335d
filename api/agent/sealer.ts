/** Seals the same text to the same node once: sealing anew gives other bytes each time, and costs a key agreement. */
import { seal } from '../../platform/crypto/sealing.ts';

export interface Sealable {
  /** What it is for: it opens under the same context only. */
  context: string;
  /** Names the content: another version is sealed anew. */
  version: string;
  plaintext: () => string;
}

/** @param publicKey The node's X25519 key. */
export type Sealer = (publicKey: string, text: Sealable) => string;

/** @param limit Sealed texts that are kept; the one that was asked for longest ago goes first. */
export function createSealer(limit = 10_000): Sealer {
  const kept = new Map<string, string>();
  return (publicKey, { context, version, plaintext }) => {
    const key = JSON.stringify([publicKey, context, version]);
    const sealed = kept.get(key) ?? seal(publicKey, Buffer.from(plaintext()), context);
    kept.delete(key);
    kept.set(key, sealed);
    const [oldest] = kept.keys();
    if (kept.size > limit && oldest !== undefined) kept.delete(oldest);
    return sealed;
  };
}
