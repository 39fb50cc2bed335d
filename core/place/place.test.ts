import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeLeaseMs } from '../node/liveness.ts';
import { freeAddresses } from './free-addresses.ts';
import { place, type PlaceNode } from './place.ts';

const now = new Date('2030-01-01T00:00:00Z');
const mebibytes = (count: number) => count * 2 ** 20;
const resources = { cpuMillis: 500, memoryBytes: mebibytes(256), pids: 100 };

const node = (id: string, changed: Partial<PlaceNode> = {}): PlaceNode => ({
  id,
  name: `node-${id}`,
  kind: 'worker',
  lastSeenAt: now,
  cordoned: false,
  removed: false,
  containerCidr: `10.200.${id.charCodeAt(0) - 96}.0/24`,
  capacity: { cpuMillis: 2_000, memoryBytes: mebibytes(2_048) },
  allocations: [],
  ...changed,
});
const allocation = (ip: string, serviceId = 'other', stoppedAt: Date | null = null) => ({
  serviceId,
  ip,
  resources,
  stoppedAt,
});
const request = (...replicas: number[]) => ({ serviceId: 's', resources, replicas });
const nodesOf = (result: ReturnType<typeof place>) =>
  result.ok ? result.placements.map(({ nodeId }) => nodeId) : result.code;

describe('place', () => {
  it('P05: spreads replicas over nodes instead of taking the first', () => {
    expect(nodesOf(place(request(0, 1, 2, 3), [node('a'), node('b'), node('c')], now))).toEqual(['a', 'b', 'c', 'a']);
  });

  it('P05: prefers the node with less promised, and records why', () => {
    const busy = node('a', { allocations: [allocation('10.200.1.2'), allocation('10.200.1.3')] });
    const result = place(request(0), [busy, node('b')], now);
    expect(result).toEqual({
      ok: true,
      placements: [
        {
          replica: 0,
          nodeId: 'b',
          ip: '10.200.2.2',
          reasons: [
            'node-b: best of 2 with room',
            '0 replicas of this service here already, 0 containers in all',
            'promised so far: 0 % of its memory, 0 % of its CPU',
          ],
        },
      ],
      rejections: [],
    });
  });

  it('goes away from nodes that run the service already', () => {
    const with_ = node('a', { allocations: [allocation('10.200.1.2', 's')] });
    const busier = node('b', { allocations: [allocation('10.200.2.2'), allocation('10.200.2.3')] });
    expect(nodesOf(place(request(1), [with_, busier], now))).toEqual(['b']);
  });

  it('says of every node why it is out', () => {
    const big = { cpuMillis: 64_000, memoryBytes: mebibytes(640_000) };
    const result = place(
      { ...request(0), resources: { ...resources, cpuMillis: 9_000 } },
      [
        node('a', { removed: true }),
        node('b', { cordoned: true }),
        node('c', { lastSeenAt: new Date(now.getTime() - nodeLeaseMs) }),
        node('d', { kind: 'proxy', capacity: big }),
        node('e', { capacity: null }),
        node('f'),
        node('g', { capacity: { ...big, memoryBytes: mebibytes(280) } }),
        node('h', {
          capacity: big,
          allocations: Array.from({ length: 253 }, (_, i) => allocation(`10.200.8.${i + 2}`)),
        }),
      ],
      now,
    );
    expect(result).toMatchObject({ ok: false, code: 'no_capacity' });
    expect(result.rejections.map(({ nodeId, code }) => `${nodeId} ${code}`)).toEqual([
      'a node_removed',
      'b node_cordoned',
      'c node_silent',
      'd node_proxy',
      'e node_unreported',
      'f node_cpu_small',
      'g node_memory_small',
      'h node_addresses_full',
    ]);
    expect(place(request(0), [], now)).toMatchObject({ reason: 'No node has room for replica 0. There is no node.' });
  });

  it('tells what is larger than a node from what is taken by others', () => {
    const busy = node('a', { allocations: Array.from({ length: 6 }, (_, i) => allocation(`10.200.1.${i + 2}`)) });
    const why = (changed: Partial<typeof resources>) =>
      place({ ...request(0), resources: { ...resources, ...changed } }, [busy], now).rejections.map(
        ({ code, message }) => `${code}: ${message}`,
      );
    expect(why({ memoryBytes: mebibytes(900 * 1_024) })).toEqual([
      'node_memory_small: A replica asks for 921600 MiB of memory; the whole node has 1843 MiB to give.',
    ]);
    expect(why({ cpuMillis: 64_000 })).toEqual([
      'node_cpu_small: A replica asks for 64 cores; the whole node has 8 to give.',
    ]);
    expect(why({ pids: 1_000_000 })).toEqual([
      'node_pids_small: A replica asks for 1000000 processes; the whole node has 100000 to give.',
    ]);
    expect(why({ memoryBytes: mebibytes(1_024) })).toEqual([
      'node_memory_full: The memory of the node is promised to others.',
    ]);
    expect(why({ cpuMillis: 6_000 })).toEqual(['node_cpu_full: The CPU of the node is promised to others.']);
  });

  it('counts what it places itself', () => {
    const small = node('a', { capacity: { cpuMillis: 2_000, memoryBytes: mebibytes(600) } });
    expect(nodesOf(place(request(0, 1), [small], now))).toEqual(['a', 'a']);
    expect(nodesOf(place(request(0, 1, 2), [small], now))).toBe('no_capacity');
  });

  it('uses a proxy only where the fleet has no worker', () => {
    expect(nodesOf(place(request(0), [node('p', { kind: 'proxy' })], now))).toEqual(['p']);
    expect(nodesOf(place(request(0), [node('p', { kind: 'proxy' }), node('w', { cordoned: true })], now))).toBe(
      'no_capacity',
    );
    expect(nodesOf(place(request(0), [node('p', { kind: 'proxy' }), node('w', { removed: true })], now))).toEqual([
      'p',
    ]);
  });

  it('needs no node for no replica', () => {
    expect(place(request(), [], now)).toEqual({ ok: true, placements: [], rejections: [] });
  });

  it('never gives out an address in use, nor one twice', () => {
    const used = fc.array(fc.record({ host: fc.integer({ min: 2, max: 254 }), stopped: fc.boolean() }), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(used, fc.integer({ min: 1, max: 6 }), (known, count) => {
        const stopped = new Date(now.getTime() - 1);
        const allocations = known.map(({ host, stopped: gone }) => ({
          ...allocation(`10.200.1.${host}`, 'other', gone ? stopped : null),
          resources: { cpuMillis: 1, memoryBytes: 1, pids: 1 },
        }));
        const result = place(request(...Array.from({ length: count }, (_, i) => i)), [node('a', { allocations })], now);
        if (!result.ok) return;
        const ips = result.placements.map(({ ip }) => ip);
        expect(new Set(ips).size).toBe(count);
        for (const { ip, stoppedAt } of allocations) if (stoppedAt === null) expect(ips).not.toContain(ip);
      }),
    );
  });

  it('P17: does not depend on the order of nodes, allocations or replicas', () => {
    const nodes = [
      node('a', { allocations: [allocation('10.200.1.2'), allocation('10.200.1.4', 's')] }),
      node('b', { allocations: [allocation('10.200.2.9', 's', now)] }),
      node('c'),
      node('d', { cordoned: true }),
    ];
    const expected = place(request(0, 1, 2, 3), nodes, now);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(nodes, { minLength: 4 }),
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
        (shuffled, replicas) => {
          const turned = shuffled.map((one) => ({ ...one, allocations: one.allocations.toReversed() }));
          expect(place(request(...replicas), turned, now)).toEqual(expected);
        },
      ),
    );
  });
});

describe('freeAddresses', () => {
  it('takes the least recently used last', () => {
    const known = Array.from({ length: 252 }, (_, index) => ({
      ip: `10.0.0.${index + 2}`,
      stoppedAt: new Date(now.getTime() - index),
    }));
    expect(freeAddresses('10.0.0.0/24', known).slice(0, 2)).toEqual(['10.0.0.254', '10.0.0.253']);
    expect(freeAddresses('10.0.0.0/24', known).at(-1)).toBe('10.0.0.2');
  });

  it('keeps an address that one container left and another holds', () => {
    const known = [
      { ip: '10.0.0.2', stoppedAt: null },
      { ip: '10.0.0.2', stoppedAt: now },
    ];
    expect(freeAddresses('10.0.0.0/24', known)).not.toContain('10.0.0.2');
    expect(freeAddresses('10.0.0.0/24', known.toReversed())).not.toContain('10.0.0.2');
  });
});
