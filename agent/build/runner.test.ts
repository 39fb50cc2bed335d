import { describe, expect, it } from 'vitest';
import type { BuildOutcome, FinishRequest, WorkOffer } from '../../core/contract/work.ts';
import { apiErrors, type ApiErrorCode } from '../../platform/errors/api-codes.ts';
import type { Claim, Renewal } from '../control/control.ts';
import { ControlRefused, ControlUnreachable } from '../control/errors.ts';
import { manualClock, settle } from '../testing/manual-clock.ts';
import { BuildRunner, type RunnerOptions } from './runner.ts';

const leaseMs = 30_000;
const succeeded: BuildOutcome = {
  kind: 'succeeded',
  imageDigest: `sha256:${'a'.repeat(64)}`,
  exposedPorts: [],
  timings: { fetch: 1, build: 1, push: 1 },
};
const offer = (workId: string, change: Partial<WorkOffer> = {}): WorkOffer => ({
  ...{ workId, kind: 'build', attempt: 1, status: 'offered', cancel: null },
  ...change,
});
const refusal = (code: ApiErrorCode) => new ControlRefused(apiErrors[code].status, code, apiErrors[code].message);
const away = new ControlUnreachable('https://x', new Error('refused'));

interface Build {
  workId: string;
  signal: AbortSignal;
  end: (outcome: BuildOutcome) => void;
}

function setUp(change: Partial<RunnerOptions> = {}) {
  const clock = manualClock();
  const world = {
    claims: [] as string[],
    claimErrors: [] as Error[],
    renewals: 0,
    renewal: (): Promise<Partial<Renewal>> => Promise.resolve({}),
    finished: [] as (FinishRequest & { workId: string })[],
    finishErrors: [] as Error[],
    builds: [] as Build[],
    lines: [] as string[],
    pressure: null as string | null,
  };
  const fail = (errors: Error[]): void => {
    const error = errors.shift();
    if (error !== undefined) throw error;
  };
  const runner = new BuildRunner({
    control: {
      claim: async (workId, attempt) => {
        await Promise.resolve();
        fail(world.claimErrors);
        world.claims.push(workId);
        return { attempt, leaseMs, order: {} as Claim['order'] };
      },
      renew: async () => {
        world.renewals += 1;
        return { leaseMs, cancel: null, ...(await world.renewal()) };
      },
      finish: async (workId, request) => {
        await Promise.resolve();
        fail(world.finishErrors);
        world.finished.push({ workId, ...request });
      },
    },
    clock,
    random: () => 1,
    concurrency: 1,
    pressure: () => Promise.resolve(world.pressure),
    build: ({ workId, cancel }) =>
      new Promise((resolve) => {
        world.builds.push({ workId, signal: cancel, end: resolve });
        cancel.addEventListener('abort', () => {
          const reason: unknown = cancel.reason;
          const code = reason instanceof Error && 'code' in reason ? String(reason.code) : 'cancelled';
          resolve({ kind: 'cancelled', code });
        });
      }),
    log: (line) => world.lines.push(line),
    ...change,
  });
  return { clock, world, runner };
}

describe('offered builds', () => {
  it('are claimed, made and reported under their attempt', async () => {
    const { runner, world } = setUp();
    runner.offer([offer('w1', { attempt: 3 })]);
    await settle();
    world.builds[0]?.end(succeeded);
    await settle();
    expect(world.finished).toEqual([{ workId: 'w1', attempt: 3, outcome: succeeded }]);
  });

  it('are claimed once, however often they are offered, also after they have ended', async () => {
    const { clock, runner, world } = setUp();
    runner.offer([offer('w1')]);
    runner.offer([offer('w1')]);
    await settle();
    world.builds[0]?.end(succeeded);
    await clock.advance(60_000);
    runner.offer([offer('w1')]);
    await clock.advance(60_000);
    expect(world.claims).toEqual(['w1']);
    runner.offer([offer('w1', { attempt: 2 })]);
    await settle();
    expect(world.claims).toEqual(['w1', 'w1']);
  });

  it('wait for their turn, and get it when one before them has ended', async () => {
    const { clock, runner, world } = setUp();
    runner.offer([offer('w1'), offer('w2')]);
    await settle();
    expect(world.claims).toEqual(['w1']);
    world.builds[0]?.end(succeeded);
    await clock.advance(0);
    await settle();
    expect(world.claims).toEqual(['w1', 'w2']);
  });

  it('of others, of another kind, or to be cancelled are left alone', async () => {
    const { runner, world } = setUp();
    runner.offer([
      offer('w1', { status: 'claimed' }),
      offer('w2', { kind: 'restart' }),
      offer('w3', { cancel: 'superseded' }),
    ]);
    await settle();
    expect(world.claims).toEqual([]);
  });

  it('P80: are not taken under pressure, and again once it is over', async () => {
    const { clock, runner, world } = setUp();
    world.pressure = 'only 100 MiB of memory are free.';
    runner.offer([offer('w1')]);
    await settle();
    expect(world.claims).toEqual([]);
    expect(world.lines[0]).toContain('only 100 MiB of memory are free.');
    world.pressure = null;
    await clock.advance(1_000);
    expect(world.claims).toEqual(['w1']);
  });

  it('whose claim is refused are not tried at once', async () => {
    const { clock, runner, world } = setUp();
    world.claimErrors.push(refusal('work_not_ready'));
    runner.offer([offer('w1')]);
    await settle();
    expect(world.claims).toEqual([]);
    await clock.advance(1_000);
    expect(world.claims).toEqual(['w1']);
  });

  it('whose making throws are reported as a fault of the agent', async () => {
    const { runner, world } = setUp({ build: () => Promise.reject(new TypeError('x is undefined')) });
    runner.offer([offer('w1')]);
    await settle();
    expect(world.finished[0]?.outcome).toMatchObject({ kind: 'failed', code: 'internal', message: 'x is undefined' });
  });
});

describe('the lease of a build', () => {
  it('is renewed at a third of its length, until the build ends', async () => {
    const { clock, runner, world } = setUp();
    runner.offer([offer('w1')]);
    await clock.advance(leaseMs / 3 - 1);
    expect(world.renewals).toBe(0);
    await clock.advance(1);
    expect(world.renewals).toBe(1);
    await clock.advance(leaseMs);
    expect(world.renewals).toBe(4);
    world.builds[0]?.end(succeeded);
    await clock.advance(10 * leaseMs);
    expect(world.renewals).toBe(4);
  });

  it.each(['renewal', 'offer'] as const)('ends the build when the control plane cancels it by its %s', async (by) => {
    const { clock, runner, world } = setUp();
    runner.offer([offer('w1')]);
    await settle();
    if (by === 'renewal') world.renewal = () => Promise.resolve({ cancel: 'superseded' });
    else runner.offer([offer('w1', { status: 'claimed', cancel: 'superseded' })]);
    await clock.advance(leaseMs / 3);
    expect(world.finished.map(({ outcome }) => outcome)).toEqual([{ kind: 'cancelled', code: 'superseded' }]);
  });

  it('outlasts a control plane that is away for less than its length', async () => {
    const { clock, runner, world } = setUp();
    runner.offer([offer('w1')]);
    await settle();
    world.renewal = () => Promise.reject(away);
    await clock.advance(leaseMs - 2_000);
    world.renewal = () => Promise.resolve({});
    await clock.advance(5_000);
    world.builds[0]?.end(succeeded);
    await settle();
    expect(world.finished).toHaveLength(1);
  });

  it.each(['lease_lost', 'attempt_stale'] as const)('ends the build without a word after %s', async (code) => {
    const { clock, runner, world } = setUp();
    runner.offer([offer('w1')]);
    await settle();
    world.renewal = () => Promise.reject(refusal(code));
    await clock.advance(leaseMs / 3);
    expect([world.builds[0]?.signal.aborted, world.finished]).toEqual([true, []]);
  });

  it('ends the build when nobody renewed it in time', async () => {
    const { clock, runner, world } = setUp();
    runner.offer([offer('w1')]);
    await settle();
    world.renewal = () => Promise.reject(away);
    await clock.advance(leaseMs + 1_000);
    expect([world.builds[0]?.signal.aborted, world.finished]).toEqual([true, []]);
  });

  it('is enough time to report an outcome that nobody took at first', async () => {
    const { clock, runner, world } = setUp();
    runner.offer([offer('w1')]);
    await settle();
    world.finishErrors.push(away, refusal('unavailable'));
    world.builds[0]?.end(succeeded);
    await clock.advance(5_000);
    expect(world.finished).toHaveLength(1);
  });

  it('is given up without a word when the agent stops', async () => {
    const { runner, world } = setUp();
    runner.offer([offer('w1')]);
    await settle();
    await runner.stop();
    expect([world.builds[0]?.signal.aborted, world.finished, runner.running()]).toEqual([true, [], 0]);
    runner.offer([offer('w2')]);
    await settle();
    expect(world.claims).toEqual(['w1']);
  });
});
