/** Decides what becomes of a registration: refused by name, repeated for the same agent, or a node made (P13). */

export type RegistrationKeys = { signingKey: string; sealingKey: string; wireguardKey: string };

export type RegisteredNode = RegistrationKeys & { id: string; name: string; subnet: number; removed: boolean };

export type RegistrationFacts = {
  /** null: no token of this hash. */
  token: { nodeName: string; kind: 'worker' | 'proxy'; expiresAt: Date; node: RegisteredNode | null } | null;
  /** The node that has this signing key. */
  sameKey: RegisteredNode | null;
  /** The node, not removed, that has the token's name. */
  sameName: RegisteredNode | null;
};

export type RegistrationRefusal =
  'token_unknown' | 'token_expired' | 'token_used' | 'kind_mismatch' | 'key_taken' | 'name_taken' | 'node_removed';

export type RegistrationDecision =
  | { kind: 'refuse'; code: RegistrationRefusal }
  /** The same agent asks again after a failure: it gets the same answer. */
  | { kind: 'repeat'; nodeId: string }
  /** `revive`: a removed node that comes back under a new token keeps its id. */
  | { kind: 'create'; name: string; revive: string | null };

export function decideRegistration(
  facts: RegistrationFacts,
  request: RegistrationKeys & { kind: 'worker' | 'proxy' },
  now: Date,
): RegistrationDecision {
  const { token, sameKey, sameName } = facts;
  if (token === null) return refuse('token_unknown');
  if (token.kind !== request.kind) return refuse('kind_mismatch');
  if (token.node !== null) return repeat(token.node, request);
  if (token.expiresAt <= now) return refuse('token_expired');
  if (sameKey !== null && !sameKey.removed) return refuse('key_taken');
  if (sameName !== null) return refuse('name_taken');
  return { kind: 'create', name: token.nodeName, revive: sameKey?.id ?? null };
}

/** A used token speaks for the agent that used it, and for as long as that one's node exists. */
function repeat(node: RegisteredNode, keys: RegistrationKeys): RegistrationDecision {
  const same =
    node.signingKey === keys.signingKey &&
    node.sealingKey === keys.sealingKey &&
    node.wireguardKey === keys.wireguardKey;
  if (!same) return refuse('token_used');
  return node.removed ? refuse('node_removed') : { kind: 'repeat', nodeId: node.id };
}

function refuse(code: RegistrationRefusal): RegistrationDecision {
  return { kind: 'refuse', code };
}
