/** Takes nonces in groups; a nonce that is asked twice while the first asking is under way is refused here. */
import type { Admission, AskedNonce } from '../../prisma/store/admission.ts';

/** @param take Answers for one nonce; no nonce is handed to it twice at a time. */
export function createNonceTaker(
  take: (asked: AskedNonce) => Promise<Admission>,
): (asked: AskedNonce) => Promise<Admission> {
  const underWay = new Map<string, Promise<Admission>>();
  return async (asked) => {
    const key = `${asked.nodeId} ${asked.nonce}`;
    const first = underWay.get(key);
    if (first !== undefined) return { ...(await first), fresh: false };
    const taking = take(asked).finally(() => underWay.delete(key));
    underWay.set(key, taking);
    return taking;
  };
}
