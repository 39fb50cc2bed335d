/** Links to an intent's page that open for whoever has them: GitHub shows them, and nobody can guess another one's. */
import { createHmac } from 'node:crypto';
import { sameSecret } from '../crypto/hash.ts';
import type { MasterKeys } from '../crypto/envelope.ts';

function keyOf(masterKey: Uint8Array, intentId: string): string {
  return createHmac('sha256', masterKey).update(`landfall intent page ${intentId}`).digest('base64url').slice(0, 32);
}

/** @param publicUrl Base URL of the console, without a slash at its end. */
export function intentUrl(publicUrl: string, masterKeys: MasterKeys, intentId: string): string {
  return `${publicUrl}/intents/${intentId}?key=${keyOf(masterKeys.keys[0], intentId)}`;
}

/** Whether the link's key is this intent's, also under a master key of before. */
export function opensIntent(masterKeys: MasterKeys, intentId: string, key: string): boolean {
  return masterKeys.keys.some((each) => sameSecret(keyOf(each, intentId), key));
}
