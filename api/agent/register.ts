/** Registration: a one-time token and the agent's public keys make a node. Safe to repeat after a failure at any step (P13). */
import type { FastifyBaseLogger } from 'fastify';
import { RegisterAnswer, RegisterRequest } from '../../core/contract/register.ts';
import { containerCidr, highestSubnet, wireguardAddress } from '../../core/node/addresses.ts';
import { decideRegistration } from '../../core/node/registration.ts';
import { hashToken } from '../../platform/crypto/hash.ts';
import { ApiError } from '../../platform/errors/api-codes.ts';
import { transaction, type Db, type Node } from '../../prisma/client.ts';
import { isUniqueViolation } from '../../prisma/conflict.ts';
import { recordAuditEvent } from '../../prisma/store/audit-events.ts';
import {
  createNode,
  findNode,
  lockRegistrationFacts,
  smallestFreeSubnet,
  useRegistrationToken,
} from '../../prisma/store/registration.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, type Api } from '../http/routes.ts';

export function registerRoute(api: Api, deps: ApiDeps): void {
  api.post(
    '/register',
    {
      // Anyone may send it: keys and a token, and no more.
      bodyLimit: 8 * 1024,
      schema: {
        operationId: 'registerAgent',
        summary: 'Register an agent under a one-time token; may be repeated with the same keys',
        tags: ['agent'],
        body: RegisterRequest,
        response: answers(RegisterAnswer),
      },
      preValidation: (request, _reply, done) => {
        done(hasToken(request.body) ? undefined : new ApiError('token_missing'));
      },
    },
    async (request) => registerNode(deps, request.body, request.log),
  );
}

function hasToken(body: unknown): boolean {
  return typeof body !== 'object' || body === null || ('token' in body && body.token !== '');
}

/** Two agents that register at once may meet at a unique key: the second look decides by what the first one made. */
const attempts = 3;

async function registerNode(deps: ApiDeps, request: RegisterRequest, log: FastifyBaseLogger): Promise<RegisterAnswer> {
  for (let attempt = 1; ; attempt++) {
    try {
      const node = await transaction(deps.database, (tx) => registerOnce(deps, tx, request));
      log.info({ nodeId: node.id, node: node.name }, 'an agent registered');
      return answerOf(deps, node);
    } catch (error) {
      if (attempt >= attempts || !isUniqueViolation(error)) throw error;
    }
  }
}

async function registerOnce(deps: ApiDeps, tx: Db, request: RegisterRequest): Promise<Node> {
  const now = deps.now();
  const facts = await lockRegistrationFacts(tx, { ...request, tokenHash: hashToken(request.token) });
  const decision = decideRegistration(facts, request, now);
  switch (decision.kind) {
    case 'refuse':
      throw new ApiError(decision.code);
    case 'repeat': {
      const node = await findNode(tx, decision.nodeId);
      if (node === null) throw new ApiError('node_removed');
      return node;
    }
    case 'create': {
      const subnet = await smallestFreeSubnet(tx, highestSubnet(deps.config.pools));
      if (subnet === null) throw new ApiError('subnets_exhausted');
      const { token: _token, ...keys } = request;
      const node = await createNode(tx, { ...keys, name: decision.name, subnet, revive: decision.revive });
      if (facts.tokenId !== null) await useRegistrationToken(tx, facts.tokenId, { nodeId: node.id, at: now });
      const event = { actor: `node:${node.id}`, action: 'node.registered', subject: `node:${node.id}`, at: now };
      await recordAuditEvent(tx, { ...event, reason: `${node.name} registered as a ${node.kind}.` });
      return node;
    }
  }
}

function answerOf({ config: { pools } }: ApiDeps, node: Node): RegisterAnswer {
  const { id, name, kind, subnet } = node;
  return {
    ...{ nodeId: id, name, kind, subnet },
    containerCidr: containerCidr(pools, subnet),
    wireguardAddress: wireguardAddress(pools, subnet),
  };
}
