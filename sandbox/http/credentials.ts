/** Who a request comes from: the App by its JWT, an installation by its token, a user by a password or token. */
import { createHash, randomBytes, verify, type KeyObject } from 'node:crypto';
import type { Installation, InstallationToken, User } from '../state/model.ts';
import { appUser, findUser, type World } from '../world.ts';
import { badCredentials, Refusal } from './refusal.ts';

export type InstallationActor = {
  readonly kind: 'installation';
  readonly installation: Installation;
  readonly token: InstallationToken;
  readonly user: User;
};
export type UserActor = { readonly kind: 'user'; readonly user: User };
export type Actor = { readonly kind: 'anonymous' } | { readonly kind: 'app' } | InstallationActor | UserActor;

const maximumLifetime = 600;

export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

export function newSecret(prefix: 'ghs_' | 'ghp_'): string {
  return prefix + randomBytes(32).toString('base64url').replace(/[-_]/g, 'x').slice(0, 36);
}

function decodeJson(part: string | undefined): Record<string, unknown> {
  try {
    const decoded: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString());
    if (typeof decoded === 'object' && decoded !== null) return decoded as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Refusal(401, 'A JSON web token could not be decoded');
}

export interface AppJwtFacts {
  readonly publicKey: KeyObject;
  readonly appId: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Throws GitHub's 401 (or 404 for an unknown issuer) unless the JWT is one the App may use now. */
export function verifyAppJwt(jwt: string, { publicKey, appId, now }: AppJwtFacts): void {
  const [header, claims, signature] = jwt.split('.');
  const { alg } = decodeJson(header);
  const { iat, exp, iss } = decodeJson(claims);
  const signed = Buffer.from(`${header ?? ''}.${claims ?? ''}`);
  if (alg !== 'RS256' || !verify('RSA-SHA256', signed, publicKey, Buffer.from(signature ?? '', 'base64url')))
    throw new Refusal(401, 'A JSON web token could not be decoded');
  const seconds = now / 1000;
  if (!Number.isInteger(iat) || Number(iat) > seconds + 1)
    throw new Refusal(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  if (typeof exp !== 'number' || exp <= seconds)
    throw new Refusal(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  if (exp > seconds + maximumLifetime)
    throw new Refusal(401, "'Expiration time' claim ('exp') is too far in the future");
  if (String(iss) !== String(appId)) throw new Refusal(404, 'Integration not found');
}

function signIn(world: World, secret: string): InstallationActor | UserActor | null {
  const hash = hashSecret(secret);
  const token = world.tables.tokens.first((each) => each.hash === hash);
  if (token !== undefined) {
    const installation = world.tables.installations.find(token.installationId);
    if (installation === undefined || token.expiresAt <= world.now()) return null;
    return { kind: 'installation', installation, token, user: appUser(world) };
  }
  const user = world.tables.users.first((each) => each.secretHashes.includes(hash));
  return user === undefined ? null : { kind: 'user', user };
}

/** From the `authorization` header of a REST request. */
export function authenticate(world: World, authorization: string | undefined): Actor {
  if (authorization === undefined) return { kind: 'anonymous' };
  const [scheme = '', credentials = ''] = authorization.split(' ');
  if (scheme.toLowerCase() === 'basic') return authenticateBasic(world, authorization) ?? { kind: 'anonymous' };
  if (credentials.split('.').length === 3) {
    verifyAppJwt(credentials, { publicKey: world.app.publicKey, appId: world.app.id, now: world.now() });
    return { kind: 'app' };
  }
  const actor = signIn(world, credentials);
  if (actor === null) throw badCredentials();
  return actor;
}

/** From basic authentication, as git sends it: the password decides, and a user's name has to fit it. */
export function authenticateBasic(
  world: World,
  authorization: string | undefined,
): InstallationActor | UserActor | null {
  if (authorization === undefined) return null;
  const [scheme = '', encoded = ''] = authorization.split(' ');
  if (scheme.toLowerCase() !== 'basic') throw badCredentials();
  const decoded = Buffer.from(encoded, 'base64').toString();
  const colon = decoded.indexOf(':');
  const [name, password] = [decoded.slice(0, colon), decoded.slice(colon + 1)];
  const actor = signIn(world, password === 'x-oauth-basic' || password === '' ? name : password);
  if (actor === null) throw badCredentials();
  const named = findUser(world, name);
  if (actor.kind === 'user' && named !== undefined && named.id !== actor.user.id) throw badCredentials();
  return actor;
}
