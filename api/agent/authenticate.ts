/** Every call of an agent but registration is signed by its node: the signature, the nonce and the node are checked here (P63). */
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../platform/errors/api-codes.ts';
import { groupCalls } from '../../platform/group/group-calls.ts';
import { splitTarget } from '../../platform/signature/sign.ts';
import { clockWindowMs, verifySignature } from '../../platform/signature/verify.ts';
import { forgetNonces, readSigningKeys, takeNonces, type AskedNonce } from '../../prisma/store/admission.ts';
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
  }
}

export function nodeOf(request: { node: AdmittedNode | null }): AdmittedNode {
  if (request.node === null) throw new ApiError('signature_missing');
  return request.node;
}

export interface Authenticator {
  /** @param body The raw bytes, as they came. @throws ApiError `signature_…` or `node_removed`. */
  admit(request: FastifyRequest, body: Uint8Array): Promise<AdmittedNode>;
  stop(): void;
}

const group = { maxItems: 500 };
const forgetEveryMs = 60_000;

export function createAuthenticator({ database, now, log }: ApiDeps): Authenticator {
  const { pool } = database;
  const keys = createKeyCache(groupCalls((ids: readonly string[]) => readSigningKeys(pool, ids), group));
  const take = createNonceTaker(groupCalls((asked: readonly AskedNonce[]) => takeNonces(pool, asked), group));
  const forgetting = setInterval(() => {
    // A nonce counts while its request could be taken: the window, before and after.
    forgetNonces(pool, new Date(now().getTime() - 3 * clockWindowMs)).catch((error: unknown) =>
      log.warn({ err: error }, 'old nonces were not forgotten; the next round takes them'),
    );
  }, forgetEveryMs).unref();

  return {
    async admit(request, body) {
      const { path, query } = splitTarget(request.raw.url ?? '');
      const { method, headers } = request;
      const used: { key: string | null } = { key: null };
      const publicKeyFor = async (nodeId: string): Promise<string | null> => (used.key = await keys.find(nodeId));
      const verified = await verifySignature({ ...{ method, path, query, body, headers, publicKeyFor }, now: now() });
      if (!verified.ok) throw new ApiError(`signature_${verified.code}`);
      const nodeId = verified.keyId;
      const { fresh, node } = await take({ nodeId, nonce: verified.nonce, at: verified.created });
      if (node === null || node.signingKey !== used.key) {
        // It registered anew under another key, or was deleted, since its key was read.
        keys.forget(nodeId);
        throw new ApiError('signature_unknown_key');
      }
      if (!fresh) throw new ApiError('signature_replayed');
      if (node.removed) throw new ApiError('node_removed');
      return { nodeId, generation: node.generation };
    },
    stop: () => clearInterval(forgetting),
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
