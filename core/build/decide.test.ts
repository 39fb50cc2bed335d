import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeLeaseMs } from '../node/liveness.ts';
import { defaultBuild } from '../spec/defaults.ts';
import {
  buildInputsDigest,
  chooseBuildNode,
  freeBuildSlots,
  givenUpAt,
  maxBuildAttempts,
  nextBuildStep,
  offerLeaseMs,
  type BuildNode,
  type BuildRow,
  type BuildWork,
} from './decide.ts';

const start = new Date('2030-01-01T00:00:00Z');
const at = (ms: number) => new Date(start.getTime() + ms);

describe('buildInputsDigest', () => {
  const inputs = { service: 'web', sha: 'a'.repeat(40), spec: defaultBuild };

  it('P10: is the same for the same service, commit and inputs, and for nothing else', () => {
    const others = [
      { ...inputs, service: 'api' },
      { ...inputs, sha: 'b'.repeat(40) },
      { ...inputs, spec: { ...defaultBuild, args: { A: '1' } } },
      { ...inputs, spec: { ...defaultBuild, target: 'x' } },
    ];
    expect(new Set([inputs, ...others].map(buildInputsDigest)).size).toBe(5);
    expect(buildInputsDigest({ ...inputs, spec: { ...defaultBuild, timeoutMs: 1 } })).toBe(buildInputsDigest(inputs));
  });
});

describe('chooseBuildNode', () => {
  const node: BuildNode = {
    id: 'n1',
    name: 'one',
    lastSeenAt: start,
    cordoned: false,
    removed: false,
    capabilities: ['build'],
    buildSlots: 4,
    runningBuilds: 0,
    lapsedOffers: null,
    diskFreeBytes: 50e9,
  };

  it('takes the live node with the fewest builds, then the most disk, then the first id', () => {
    const nodes = [
      { ...node, id: 'busy', runningBuilds: 2 },
      { ...node, id: 'n3' },
      { ...node, id: 'n2' },
      { ...node, id: 'small', diskFreeBytes: 9e9 },
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(nodes, { minLength: 4 }), (shuffled) => {
        expect(chooseBuildNode(shuffled, start)).toMatchObject({ ok: true, nodeId: 'n2', rejections: [] });
      }),
    );
  });

  it('says of every node why it cannot', () => {
    const nodes: BuildNode[] = [
      { ...node, id: 'a', removed: true },
      { ...node, id: 'b', cordoned: true },
      { ...node, id: 'c', lastSeenAt: at(-nodeLeaseMs) },
      { ...node, id: 'd', lastSeenAt: null },
      { ...node, id: 'e', capabilities: ['dns'] },
      { ...node, id: 'f', diskFreeBytes: 1e6 },
      { ...node, id: 'g', buildSlots: 0 },
    ];
    const choice = chooseBuildNode(nodes, start);
    expect(choice).toMatchObject({ ok: false, code: 'no_build_node' });
    expect(choice.rejections.map(({ nodeId, code }) => `${nodeId} ${code}`)).toEqual([
      'a node_removed',
      'b node_cordoned',
      'c node_silent',
      'd node_silent',
      'e node_cannot_build',
      'f node_disk_low',
      'g node_builds_paused',
    ]);
    expect(chooseBuildNode([], start)).toMatchObject({
      ok: false,
      reason: 'No node can build just now. No node is registered.',
    });
  });

  it('gives a build up an hour after the last builder was heard from, and after a day though there are some', () => {
    const hours = (nodes: BuildNode[]) => (givenUpAt(start, nodes).getTime() - start.getTime()) / 3_600_000;
    const heard = (ms: number) => ({ ...node, lastSeenAt: at(ms * 3_600_000) });
    expect(hours([])).toBe(1);
    expect(hours([{ ...node, lastSeenAt: null }])).toBe(1);
    expect(hours([heard(-5)])).toBe(1);
    expect(hours([heard(-5), heard(2)])).toBe(3);
    expect(hours([{ ...heard(2), removed: true }])).toBe(1);
    expect(hours([{ ...heard(2), capabilities: [] }])).toBe(1);
    expect(hours([heard(200)])).toBe(24);
  });

  it('offers nothing beyond the slots of a node, and says who waits longer', () => {
    const full = { ...node, buildSlots: 2, runningBuilds: 2 };
    const choice = chooseBuildNode([full, { ...node, id: 'n2', name: 'two', capabilities: [] }], start, 3);
    expect(choice).toMatchObject({ ok: false, code: 'builders_busy' });
    expect(choice.rejections.map(({ code }) => code)).toEqual(['node_builds_full', 'node_cannot_build']);
    const reason = choice.ok ? '' : choice.reason;
    const many = Array.from({ length: 9 }, (_, index) => ({ ...full, id: `m${index}`, name: `m${index}` }));
    expect(chooseBuildNode(many, start)).toMatchObject({
      reason: expect.stringContaining('m0, m1, m2 and 6 more: The node makes as many') as string,
    });
    expect(reason).toBe(
      'Waiting for a free builder; 3 waited longer. one: The node makes as many builds as it can at once. two: The node has no BuildKit.',
    );
    expect(chooseBuildNode([full], start)).toMatchObject({
      reason: expect.stringContaining('it is the next') as string,
    });
    expect(chooseBuildNode([{ ...full, runningBuilds: 1 }], start)).toMatchObject({ ok: true, nodeId: 'n1' });
    expect(freeBuildSlots([full, { ...node, runningBuilds: 1 }, { ...node, cordoned: true }], start)).toBe(3);
  });

  it('passes over a node that let an offer run out, twice as long each time, and never for ever', () => {
    const until = (count: number) => {
      const lapsed = { ...node, lapsedOffers: { count, lastOfferedAt: start } };
      const isChosen = (ms: number) => chooseBuildNode([{ ...lapsed, lastSeenAt: at(ms) }], at(ms)).ok;
      const seconds = Array.from({ length: 700 }, (_, second) => second);
      return seconds.find((second) => isChosen(second * 1_000));
    };
    expect([1, 2, 3, 50].map(until)).toEqual([60, 90, 150, 630]);
    const other = { ...node, id: 'n2' };
    const lapsed = { ...node, lapsedOffers: { count: 1, lastOfferedAt: start } };
    expect(chooseBuildNode([lapsed, other], at(20_000))).toMatchObject({ ok: true, nodeId: 'n2' });
    expect(chooseBuildNode([lapsed], at(20_000))).toMatchObject({ ok: false, code: 'builders_busy' });
  });
});

describe('nextBuildStep', () => {
  const build: BuildRow = { id: 'b', status: 'building', timeoutMs: 600_000 };
  const item: BuildWork = {
    id: 'w1',
    nodeId: 'n1',
    attempt: 1,
    status: 'claimed',
    createdAt: start,
    claimedAt: start,
    leaseUntil: at(60_000),
    cancelCode: null,
  };

  it('offers what nobody does', () => {
    expect(nextBuildStep({ ...build, status: 'queued' }, [], start)).toEqual({
      kind: 'offer',
      attempt: 1,
      expire: [],
      avoid: [],
    });
  });

  it('waits for an offer to be claimed, then offers it elsewhere', () => {
    const offered: BuildWork = { ...item, status: 'offered', claimedAt: null, leaseUntil: null };
    expect(nextBuildStep(build, [offered], start)).toEqual({ kind: 'wait', until: at(offerLeaseMs) });
    expect(nextBuildStep(build, [offered], at(offerLeaseMs))).toEqual({
      kind: 'offer',
      attempt: 2,
      expire: ['w1'],
      avoid: ['n1'],
    });
  });

  it('counts no offer that was never claimed as an attempt', () => {
    const lapsed = Array.from({ length: 40 }, (_, index) => ({
      ...{ ...item, id: `w${index + 1}`, attempt: index + 1, status: 'expired' as const },
      ...{ claimedAt: null, leaseUntil: null },
    }));
    expect(nextBuildStep(build, lapsed, at(70_000))).toMatchObject({ kind: 'offer', attempt: 41 });
    const lost = { ...item, id: 'w41', attempt: 41, status: 'expired' as const };
    expect(nextBuildStep(build, [...lapsed, lost], at(70_000))).toMatchObject({ kind: 'offer', attempt: 42 });
  });

  it('gives up when the lease was lost three times', () => {
    const lost = Array.from({ length: maxBuildAttempts }, (_, index) => ({
      ...item,
      id: `w${index + 1}`,
      attempt: index + 1,
      status: index + 1 < maxBuildAttempts ? ('expired' as const) : ('claimed' as const),
    }));
    expect(nextBuildStep(build, lost.slice(0, 2), at(70_000))).toMatchObject({ kind: 'offer', attempt: 3 });
    expect(nextBuildStep(build, lost, at(70_000))).toMatchObject({
      kind: 'fail',
      code: 'builder_lost',
      expire: ['w3'],
    });
  });

  it('cancels what takes too long, and fails it when that is not heeded', () => {
    const renewed = (ms: number) => ({ ...item, leaseUntil: at(ms + 60_000) });
    expect(nextBuildStep(build, [renewed(600_000)], at(600_000))).toEqual({ kind: 'wait', until: at(660_000) });
    const cancel = nextBuildStep(build, [renewed(660_000)], at(660_000));
    expect(cancel).toEqual({ kind: 'cancel', workIds: ['w1'], code: 'timed_out', until: at(690_000) });
    const told = { ...renewed(661_000), cancelCode: 'timed_out' };
    expect(nextBuildStep(build, [told], at(661_000))).toEqual({ kind: 'wait', until: at(690_000) });
    expect(nextBuildStep(build, [told], at(690_000))).toMatchObject({
      kind: 'fail',
      code: 'timed_out',
      expire: ['w1'],
    });
  });

  it('cancels the work of a build that was superseded, once', () => {
    const superseded = { ...build, status: 'superseded' as const };
    expect(nextBuildStep(superseded, [item], start)).toMatchObject({
      kind: 'cancel',
      workIds: ['w1'],
      code: 'superseded',
    });
    const told = { ...item, cancelCode: 'superseded' };
    expect(nextBuildStep(superseded, [told], start)).toEqual({ kind: 'wait', until: at(62_000) });
    expect(nextBuildStep(superseded, [told], at(62_000))).toEqual({ kind: 'finished', expire: ['w1'] });
    expect(nextBuildStep(superseded, [{ ...told, status: 'cancelled' }], start)).toEqual({
      kind: 'finished',
      expire: [],
    });
  });

  it('always ends once it is claimed again and again, whatever agents do, and never passes the number of attempts', () => {
    const moves = fc.array(fc.constantFrom('ignore', 'claim', 'renew', 'die'), { maxLength: 60 });
    const behaviour = moves.map((given) => [...given, 'claim', 'die', 'die', 'die', 'die'] as const);
    fc.assert(
      fc.property(behaviour, (moves) => {
        const work: BuildWork[] = [];
        let now = start;
        for (let round = 0; round < 500; round++) {
          const step = nextBuildStep(build, work, now);
          const attempts = work.filter(({ claimedAt }) => claimedAt !== null).length;
          if (attempts > maxBuildAttempts) return false;
          if (step.kind === 'fail') return true;
          if (step.kind === 'offer') {
            for (const one of work) if (step.expire.includes(one.id)) one.status = 'expired';
            work.push({
              ...item,
              id: `w${step.attempt}`,
              attempt: step.attempt,
              status: 'offered',
              createdAt: now,
              claimedAt: null,
              leaseUntil: null,
            });
          }
          if (step.kind === 'cancel')
            for (const one of work) if (step.workIds.includes(one.id)) one.cancelCode = step.code;
          const move = moves[round % moves.length];
          const last = work.at(-1)!;
          now = new Date(now.getTime() + 20_000);
          if (move === 'claim' && last.status === 'offered') Object.assign(last, { status: 'claimed', claimedAt: now });
          if (move !== 'die' && last.status === 'claimed') last.leaseUntil = new Date(now.getTime() + 60_000);
        }
        return false;
      }),
    );
  });

  it('P17: does not depend on the order of the work', () => {
    const work = [1, 2, 3].map((attempt) => ({
      ...item,
      id: `w${attempt}`,
      attempt,
      status: attempt === 3 ? ('claimed' as const) : ('expired' as const),
    }));
    for (const now of [start, at(70_000)]) {
      const steps = [work, work.toReversed()].map((given) => nextBuildStep(build, given, now));
      expect(steps[0]).toEqual(steps[1]);
    }
  });
});
