/** Every call of an agent but registration is signed by its node: the signature, the nonce and the node are checked here (P63). */
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../platform/errors/api-codes.ts';
import { groupCalls } from '../../platform/group/group-calls.ts';
import { splitTarget } from '../../platform/signature/sign.ts';
import { isDigestOf, verifyHead, type SignedHead } from '../../platform/signature/verify.ts';
import { readSigningKeys, takeNonces, type AskedNonce } from '../../prisma/store/admission.ts';
import type { ApiDeps } from '../deps.ts';
import { isUuid } from '../http/ids.ts';
import { createNonceTaker } from './nonces.ts';

export interface AdmittedNode {
  nodeId: string;
  /** Of its expected state, read after the request came. */
  generation: number;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who signed the request. */
    node: AdmittedNode | null;
    /** What its head says, and the key that it was signed with. */
    signed: (SignedHead & { publicKey: string | null }) | null;
  }
}

export function nodeOf(request: { node: AdmittedNode | null }): AdmittedNode {
  if (request.node === null) throw new ApiError('signature_missing');
  return request.node;
}

export interface Authenticator {
  /** Before the body is read: whether a node signed this request. @throws ApiError `signature_…` */
  checkHead(request: FastifyRequest): Promise<void>;
  /** Whether this is the body that was signed, for the first time, by a node that is not removed. @throws ApiError */
  admit(request: FastifyRequest): Promise<AdmittedNode>;
}

const group = { maxItems: 500 };
const noBytes = new Uint8Array();

export function createAuthenticator({ database, now }: ApiDeps): Authenticator {
  const { pool } = database;
  const keys = createKeyCache(groupCalls((ids: readonly string[]) => readSigningKeys(pool, ids), group));
  const take = createNonceTaker(groupCalls((asked: readonly AskedNonce[]) => takeNonces(pool, asked), group));
  return {
    async checkHead(request) {
      const { path, query } = splitTarget(request.raw.url ?? '');
      const { method, headers } = request;
      const used: { key: string | null } = { key: null };
      const publicKeyFor = async (nodeId: string): Promise<string | null> => (used.key = await keys.find(nodeId));
      const verified = await verifyHead({ ...{ method, path, query, headers, publicKeyFor }, now: now() });
      if (!verified.ok) throw new ApiError(`signature_${verified.code}`);
      request.signed = { ...verified, publicKey: used.key };
    },
    async admit({ signed, body }) {
      if (signed === null) throw new ApiError('signature_missing');
      if (!isDigestOf(body instanceof Uint8Array ? body : noBytes, signed.digest))
        throw new ApiError('signature_bad_digest');
      const { keyId: nodeId, nonce, created } = signed;
      const { fresh, node } = await take({ nodeId, nonce, at: created });
      if (node === null || node.signingKey !== signed.publicKey) {
        // It registered anew under another key, or was deleted, since its key was read.
        keys.forget(nodeId);
        throw new ApiError('signature_unknown_key');
      }
      if (!fresh) throw new ApiError('signature_replayed');
      if (node.removed) throw new ApiError('node_removed');
      return { nodeId, generation: node.generation };
    },
  };
}

interface KeyCache {
  find: (nodeId: string) => Promise<string | null> | string | null;
  forget(nodeId: string): void;
}

const keptKeys = 20_000;

/** Keys by node. A key here is only ever used together with the node's row, read afterwards: it cannot outlive the row. */
function createKeyCache(read: (nodeId: string) => Promise<string | null>): KeyCache {
  const known = new Map<string, string>();
  const fetch = async (nodeId: string): Promise<string | null> => {
    const key = await read(nodeId);
    if (known.size >= keptKeys) known.clear();
    if (key !== null) known.set(nodeId, key);
    return key;
  };
  return {
    find: (nodeId) => (isUuid(nodeId) && nodeId === nodeId.toLowerCase() ? (known.get(nodeId) ?? fetch(nodeId)) : null),
    forget: (nodeId) => void known.delete(nodeId),
  };
}
