/** Places replicas on nodes: what fits, spread out, with the reasons recorded (P05). */
import type { Rejection } from '../build/decide.ts';
import { reasons, type ReasonCode } from '../intent/reasons.ts';
import { isLive } from '../node/liveness.ts';
import type { Resources } from '../spec/service.ts';
import { freeAddresses } from './free-addresses.ts';

export type PlaceRequest = {
  serviceId: string;
  resources: Resources;
  /** Numbers of the replicas to place. */
  replicas: readonly number[];
};

/** An allocation of a node, as far as it takes something from it. */
export type NodeAllocation = {
  serviceId: string;
  ip: string;
  resources: Resources;
  /** Set: it is gone, and only its address is remembered (the least recently used is taken first). */
  stoppedAt: Date | null;
};

export type PlaceNode = {
  id: string;
  name: string;
  kind: 'worker' | 'proxy';
  lastSeenAt: Date | null;
  cordoned: boolean;
  removed: boolean;
  /** e.g. `10.200.3.0/24` */
  containerCidr: string;
  /** What the agent reported; null: not yet. */
  capacity: { cpuMillis: number; memoryBytes: number } | null;
  allocations: readonly NodeAllocation[];
};

export type Placement = { replica: number; nodeId: string; ip: string; reasons: string[] };

export type PlaceResult =
  | { ok: true; placements: Placement[]; rejections: Rejection[] }
  | { ok: false; code: ReasonCode; reason: string; rejections: Rejection[] };

/** CPU is shared when it is short, so more of it is promised than there is. Memory is not. */
const cpuPromise = 4;
/** What the rest of the machine needs. */
const memoryPromise = 0.9;
const pidsPerNode = 100_000;

/** A node with what is promised on it, the replicas placed so far included. */
type Room = {
  node: PlaceNode;
  ofService: number;
  containers: number;
  cpu: { used: number; most: number };
  memory: { used: number; most: number };
  pids: { used: number; most: number };
  addresses: string[];
};

/** All replicas are placed, or none. Placements come sorted by replica. */
export function place(request: PlaceRequest, nodes: readonly PlaceNode[], now: Date): PlaceResult {
  const sorted = nodes.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const hasWorkers = sorted.some(({ kind, removed }) => kind === 'worker' && !removed);
  const rejections = sorted.flatMap((node) => reject(node, unfit(node, hasWorkers, now)));
  const rooms = sorted.filter((node) => unfit(node, hasWorkers, now) === null).map((node) => roomOf(node, request));
  const placements: Placement[] = [];
  for (const replica of request.replicas.toSorted((a, b) => a - b)) {
    const fitting = rooms.filter((room) => lacking(room, request.resources) === null).sort((a, b) => compare(a, b));
    const best = fitting[0];
    const ip = best?.addresses.shift();
    if (!best || ip === undefined) {
      const full = rooms.flatMap((room) => rejectRoom(room, request.resources));
      return refused(replica, [...rejections, ...full]);
    }
    placements.push({ replica, nodeId: best.node.id, ip, reasons: explain(best, fitting.length) });
    take(best, request.resources);
  }
  return { ok: true, placements, rejections };
}

/** Workers run containers. A proxy does only where the fleet has no worker at all: one machine alone is a fleet too. */
function unfit(node: PlaceNode, hasWorkers: boolean, now: Date): ReasonCode | null {
  if (node.removed) return 'node_removed';
  if (node.cordoned) return 'node_cordoned';
  if (node.kind === 'proxy' && hasWorkers) return 'node_proxy';
  if (!isLive(node, now)) return 'node_silent';
  return node.capacity === null ? 'node_unreported' : null;
}

/** What would not fit on the node if it were empty is said before what is taken. */
function lacking({ cpu, memory, pids, addresses }: Room, wanted: Resources): ReasonCode | null {
  if (wanted.memoryBytes > memory.most) return 'node_memory_small';
  if (wanted.cpuMillis > cpu.most) return 'node_cpu_small';
  if (wanted.pids > pids.most) return 'node_pids_small';
  if (memory.used + wanted.memoryBytes > memory.most) return 'node_memory_full';
  if (cpu.used + wanted.cpuMillis > cpu.most) return 'node_cpu_full';
  if (pids.used + wanted.pids > pids.most) return 'node_pids_full';
  return addresses.length === 0 ? 'node_addresses_full' : null;
}

/** With the numbers, where they are what a person has to change. */
function messageOf(code: ReasonCode, { cpu, memory, pids }: Room, wanted: Resources): string {
  const asked = (amount: string, most: string) => `A replica asks for ${amount}; the whole node has ${most} to give.`;
  const size = (bytes: number) => `${Math.floor(bytes / 2 ** 20)} MiB`;
  switch (code) {
    case 'node_memory_small':
      return asked(`${size(wanted.memoryBytes)} of memory`, size(memory.most));
    case 'node_cpu_small':
      return asked(`${wanted.cpuMillis / 1_000} cores`, String(cpu.most / 1_000));
    case 'node_pids_small':
      return asked(`${wanted.pids} processes`, String(pids.most));
    default:
      return reasons[code].means;
  }
}

function roomOf(node: PlaceNode, { serviceId }: PlaceRequest): Room {
  const here = node.allocations.filter(({ stoppedAt }) => stoppedAt === null);
  const sum = (pick: (resources: Resources) => number) =>
    here.reduce((total, { resources }) => total + pick(resources), 0);
  return {
    node,
    ofService: here.filter((allocation) => allocation.serviceId === serviceId).length,
    containers: here.length,
    cpu: { used: sum(({ cpuMillis }) => cpuMillis), most: (node.capacity?.cpuMillis ?? 0) * cpuPromise },
    memory: { used: sum(({ memoryBytes }) => memoryBytes), most: (node.capacity?.memoryBytes ?? 0) * memoryPromise },
    pids: { used: sum(({ pids }) => pids), most: pidsPerNode },
    addresses: freeAddresses(node.containerCidr, node.allocations),
  };
}

/** Fewest replicas of the service first, then the least promised node, then the one with fewest containers, then by id. */
function compare(a: Room, b: Room): number {
  return (
    a.ofService - b.ofService ||
    promised(a) - promised(b) ||
    a.containers - b.containers ||
    (a.node.id < b.node.id ? -1 : 1)
  );
}

function promised({ cpu, memory }: Room): number {
  return Math.max(cpu.used / cpu.most, memory.used / memory.most);
}

function take(room: Room, { cpuMillis, memoryBytes, pids }: Resources): void {
  room.ofService += 1;
  room.containers += 1;
  room.cpu.used += cpuMillis;
  room.memory.used += memoryBytes;
  room.pids.used += pids;
}

function explain(room: Room, fitting: number): string[] {
  const percent = (share: { used: number; most: number }) => Math.round((100 * share.used) / share.most);
  return [
    `${room.node.name}: best of ${fitting} with room`,
    `${room.ofService} replicas of this service here already, ${room.containers} containers in all`,
    `promised so far: ${percent(room.memory)} % of its memory, ${percent(room.cpu)} % of its CPU`,
  ];
}

function reject(node: PlaceNode, code: ReasonCode | null): Rejection[] {
  return code === null ? [] : [{ nodeId: node.id, name: node.name, code, message: reasons[code].means }];
}

function rejectRoom(room: Room, wanted: Resources): Rejection[] {
  const code = lacking(room, wanted);
  return reject(room.node, code).map((rejection) => ({
    ...rejection,
    message: messageOf(rejection.code, room, wanted),
  }));
}

function refused(replica: number, rejections: Rejection[]): PlaceResult {
  const sorted = rejections.sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  const named = sorted.map(({ name, message }) => `${name}: ${message}`).join(' ');
  const reason = `No node has room for replica ${replica}. ${named === '' ? 'There is no node.' : named}`;
  return { ok: false, code: 'no_capacity', reason, rejections: sorted };
}
