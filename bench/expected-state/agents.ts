/** A fleet for the bench: nodes with their keys, each with some allocations, as rows. */
import { randomBytes } from 'node:crypto';
import { generateKeyPair, type KeyPair } from '../../platform/crypto/keys.ts';
import type { Database } from '../../prisma/client.ts';
import { makeRelease, makeWorld } from '../../test/store/rows.ts';

export interface FleetNode {
  id: string;
  signing: KeyPair;
}

const allocationsPerNode = 10;

export async function makeFleet({ db }: Database, size: number): Promise<FleetNode[]> {
  const { service } = await makeWorld(db);
  const release = await makeRelease(db, service.id);
  const keys = Array.from({ length: size }, () => generateKeyPair('Ed25519'));
  const nodes = await db.node.createManyAndReturn({
    data: keys.map(({ publicKey }, index) => ({
      name: `node-${index}`,
      subnet: index + 1,
      signingKey: publicKey,
      sealingKey: generateKeyPair('X25519').publicKey,
      wireguardKey: randomBytes(32).toString('base64'),
    })),
  });
  await db.allocation.createMany({
    data: nodes.flatMap(({ id: nodeId, subnet }) =>
      Array.from({ length: allocationsPerNode }, (_, replica) => ({
        ...{ nodeId, serviceId: service.id, releaseId: release.id, replica, generation: 1, placement: [] },
        ip: `10.${Math.floor(subnet / 256)}.${subnet % 256}.${2 + replica}`,
      })),
    ),
  });
  const pairs = new Map(keys.map((pair) => [pair.publicKey, pair]));
  return nodes.map(({ id, signingKey }) => ({ id, signing: pairs.get(signingKey) ?? generateKeyPair('Ed25519') }));
}
