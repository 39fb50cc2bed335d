/** A process of agents. `burst`: signed beforehand, as fast as they are answered. `fleet`: every agent polls for 10 s, again and again. */
import { readFileSync } from 'node:fs';
import { Connection } from '../connection.ts';
import type { FleetNode } from './agents.ts';
import { path, requestHead, signerOf, type Signer } from './requests.ts';

export interface Load {
  kind: 'burst' | 'fleet';
  port: number;
  fleetFile: string;
  /** JSON of the tags, in the order of the fleet. */
  tagsFile: string;
  /** Of a burst. */
  count: number;
}

const connections = 64;
const nothing = Buffer.alloc(0);

interface Agent {
  signer: Signer;
  etag: string;
}

function readAgents({ fleetFile, tagsFile }: Load): Agent[] {
  const fleet = JSON.parse(readFileSync(fleetFile, 'utf8')) as FleetNode[];
  const tags = JSON.parse(readFileSync(tagsFile, 'utf8')) as string[];
  return fleet.map((node, index) => ({ signer: signerOf(node), etag: tags[index] ?? '' }));
}

async function expect304(connection: Connection, head: string): Promise<void> {
  const status = await connection.send(head, nothing);
  if (status !== 304) throw new Error(`Answered ${status} instead of 304.`);
}

/** @returns requests a second. */
async function burst(load: Load, agents: readonly Agent[]): Promise<number> {
  const heads = Array.from({ length: load.count }, (_, index) => {
    const agent = agents[index % agents.length];
    if (agent === undefined) throw new Error('The fleet is empty.');
    return requestHead(agent.signer, path, agent.etag);
  });
  const open = Array.from({ length: connections }, () => new Connection(load.port));
  const begin = performance.now();
  await Promise.all(
    open.map(async (connection) => {
      for (let head = heads.pop(); head !== undefined; head = heads.pop()) await expect304(connection, head);
    }),
  );
  const seconds = (performance.now() - begin) / 1000;
  for (const connection of open) connection.end();
  return load.count / seconds;
}

const pollSeconds = 10;

/** Each agent on its own connection, spread over the ten seconds; ends with its process. */
async function fleet(load: Load, agents: readonly Agent[]): Promise<void> {
  await Promise.all(
    agents.map(async ({ signer, etag }, index) => {
      await new Promise((resolve) => setTimeout(resolve, (index * pollSeconds * 1000) / agents.length));
      const connection = new Connection(load.port);
      for (;;) await expect304(connection, requestHead(signer, `${path}?wait=${pollSeconds}`, etag));
    }),
  );
}

const [asked] = process.argv.slice(2);
if (asked !== undefined) {
  const load = JSON.parse(asked) as Load;
  const agents = readAgents(load);
  if (load.kind === 'burst') console.log(await burst(load, agents));
  else await fleet(load, agents);
}
