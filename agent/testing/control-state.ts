/** What the control plane of a test expects of its node, and what it has heard from it: a test reads and changes it while it runs. */
import type { Static } from 'typebox';
import type { ExpectedState } from '../../core/contract/expected-state.ts';
import type { LogLine } from '../../core/contract/logs.ts';
import type { RegisterRequest } from '../../core/contract/register.ts';
import type { StatusReport } from '../../core/contract/status.ts';
import type { BuildOutcome, ClaimAnswer, WorkOffer } from '../../core/contract/work.ts';
import type { ApiErrorCode } from '../../platform/errors/api-codes.ts';
import { sealsTo, type Seals } from './seals.ts';

export interface ControlPlaneOptions {
  subnet: string;
  gateway: string;
}

type MakeOrder = (seals: Seals) => Static<typeof ClaimAnswer>['order'];

export class ControlState {
  readonly token = 'lfr_test-token-that-is-long-enough';
  readonly nodeId = '01900000-0000-7000-8000-000000000001';
  readonly reports: StatusReport[] = [];
  readonly registrations: RegisterRequest[] = [];
  readonly refusals: ApiErrorCode[] = [];
  readonly outcomes = new Map<string, BuildOutcome>();
  readonly claims: { workId: string; attempt: number }[] = [];
  /** By `kind:id`. */
  readonly logs = new Map<string, LogLine[]>();
  /** Answer every request under this path with this code. */
  readonly refuse = new Map<string, ApiErrorCode>();
  /** By the id of their work. */
  readonly orders = new Map<string, { attempt: number; order: MakeOrder }>();
  leaseMs = 3_000;
  /** Set when claimed work is to stop: told at its renewal. */
  cancel: string | null = null;
  readonly #listeners = new Set<() => void>();
  #expected: ExpectedState;

  constructor({ subnet, gateway }: ControlPlaneOptions) {
    this.#expected = {
      nodeId: this.nodeId,
      generation: 1,
      network: { name: 'landfall', subnet, gateway },
      ...{ registries: [], containers: [], work: [], problems: [] },
    };
  }

  get expected(): ExpectedState {
    return this.#expected;
  }

  get registered(): RegisterRequest {
    const last = this.registrations.at(-1);
    if (last === undefined) throw new Error('No agent has registered.');
    return last;
  }

  /** Gives the generation with this change. */
  expect(change: Partial<Omit<ExpectedState, 'nodeId' | 'generation'>>): number {
    this.#expected = { ...this.#expected, ...change, generation: this.#expected.generation + 1 };
    this.changed();
    return this.#expected.generation;
  }

  offerBuild(offer: WorkOffer, order: MakeOrder): void {
    this.orders.set(offer.workId, { attempt: offer.attempt, order });
    this.expect({ work: [...this.#expected.work.filter(({ workId }) => workId !== offer.workId), offer] });
  }

  /** Its work is done: the offer goes without a new generation. */
  finish(workId: string, outcome: BuildOutcome): void {
    this.outcomes.set(workId, outcome);
    this.#expected = { ...this.#expected, work: this.#expected.work.filter((one) => one.workId !== workId) };
    this.changed();
  }

  /** To the node that registered. */
  seals(): Seals {
    return sealsTo(this.registered.sealingKey);
  }

  /** Resolves with the newest report once it fits. */
  reported(fits: (report: StatusReport) => boolean, withinMs = 20_000): Promise<StatusReport> {
    return this.#until(withinMs, () => {
      const last = this.reports.at(-1);
      return last !== undefined && fits(last) ? last : null;
    });
  }

  outcome(workId: string, withinMs = 60_000): Promise<BuildOutcome> {
    return this.#until(withinMs, () => this.outcomes.get(workId) ?? null);
  }

  /** Wakes whoever waits for what was heard or expected. */
  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  nextChange(atMostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(finish);
        resolve();
      };
      const timer = setTimeout(finish, atMostMs);
      this.#listeners.add(finish);
    });
  }

  async #until<T>(withinMs: number, look: () => T | null): Promise<T> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const found = look();
      if (found !== null) return found;
      const left = deadline - Date.now();
      if (left <= 0)
        throw new Error(`Not within ${withinMs} ms. Last report: ${JSON.stringify(this.reports.at(-1), null, 1)}`);
      await this.nextChange(left);
    }
  }
}
