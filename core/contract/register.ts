/** The first call of an agent: `POST /api/v1/agent/register`. Safe to repeat with the same token and keys. */
import Type, { type Static } from 'typebox';

export const RegisterRequest = Type.Object({
  token: Type.String({ minLength: 1, maxLength: 200 }),
  kind: Type.Union([Type.Literal('worker'), Type.Literal('proxy')]),
  /** Raw public keys: base64url; WireGuard's in its own base64. */
  signingKey: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
  sealingKey: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
  wireguardKey: Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$' }),
  agentVersion: Type.String({ maxLength: 100 }),
});
export type RegisterRequest = Static<typeof RegisterRequest>;

export const RegisterAnswer = Type.Object({
  nodeId: Type.String(),
  name: Type.String(),
  kind: Type.Union([Type.Literal('worker'), Type.Literal('proxy')]),
  /** X in 10.200.X.0/24. */
  subnet: Type.Integer(),
  containerCidr: Type.String(),
  wireguardAddress: Type.String(),
});
export type RegisterAnswer = Static<typeof RegisterAnswer>;
