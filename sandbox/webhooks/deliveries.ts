/** Sends signed webhooks, once each and without retries, and remembers every attempt for the deliveries API. */
import { createHmac, randomUUID } from 'node:crypto';
import type { DeliveryFaultKind, Faults } from '../faults.ts';
import type { Delivery, DeliveryOutcome } from '../state/model.ts';
import type { Table } from '../state/table.ts';

export const hookId = 500_001;
const timeoutMilliseconds = 10_000;
const retentionMilliseconds = 3 * 24 * 3_600_000;
const longestHold = 3_000;
const keptAnswerBytes = 4_096;

export interface Webhook {
  readonly event: string;
  readonly action: string | null;
  readonly installationId: number | null;
  readonly repositoryId: number | null;
  readonly payload: unknown;
}

export interface DeliveriesOptions {
  readonly table: Table<Delivery>;
  readonly faults: Faults;
  readonly now: () => number;
  readonly appId: number;
  readonly secret: string;
  readonly url: string | null;
}

type Attempt = Omit<Delivery, 'id' | 'outcome' | 'deliveredAt' | 'requestHeaders'>;

function sign(algorithm: 'sha1' | 'sha256', secret: string, payload: string): string {
  return `${algorithm}=${createHmac(algorithm, secret).update(payload).digest('hex')}`;
}

export class Deliveries {
  /** `null`: the App has no webhook, nothing is sent and nothing remembered. */
  url: string | null;
  readonly #options: DeliveriesOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #held: (() => void)[] = [];

  constructor(options: DeliveriesOptions) {
    this.#options = options;
    this.url = options.url;
  }

  send(webhook: Webhook): void {
    if (this.url === null) return;
    this.#dispatch({
      guid: randomUUID(),
      event: webhook.event,
      action: webhook.action,
      installationId: webhook.installationId,
      repositoryId: webhook.repositoryId,
      redelivery: false,
      payload: JSON.stringify(webhook.payload),
      url: this.url,
    });
  }

  /** The same payload and GUID again, as its own delivery; `false` when that delivery is not known. */
  redeliver(deliveryId: number): boolean {
    const earlier = this.#options.table.find(deliveryId);
    if (earlier === undefined) return false;
    const { guid, event, action, installationId, repositoryId, payload } = earlier;
    const url = this.url ?? earlier.url;
    this.#dispatch({ guid, event, action, installationId, repositoryId, payload, url, redelivery: true });
    return true;
  }

  /** Newest first; GitHub keeps three days. */
  list(): Delivery[] {
    const oldest = this.#options.now() - retentionMilliseconds;
    return this.#options.table.filter(({ deliveredAt }) => deliveredAt >= oldest).reverse();
  }

  /** Resolves when nothing is being delivered, delayed or held back. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled([...this.#running]);
  }

  /** What is delayed or held back is dropped. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#held = [];
    this.url = null;
    await Promise.race([this.idle(), new Promise((resolve) => setTimeout(resolve, 500).unref())]);
  }

  #fault<K extends DeliveryFaultKind>(kind: K, { event, action }: Attempt) {
    return this.#options.faults.take(kind, action === null ? [event] : [event, `${event}.${action}`]);
  }

  #dispatch(attempt: Attempt): void {
    if (this.#fault('lose', attempt) !== undefined) {
      const outcome: DeliveryOutcome = {
        kind: 'failed',
        status: 'failed to connect to host',
        statusCode: 502,
        seconds: 0,
      };
      this.#options.table.insert({ ...attempt, deliveredAt: this.#options.now(), requestHeaders: {}, outcome });
      return;
    }
    if (this.#fault('reorder', attempt) !== undefined) {
      this.#hold(attempt);
      return;
    }
    const delay = this.#fault('delay', attempt);
    const copies = this.#fault('duplicate', attempt) === undefined ? 1 : 2;
    for (let copy = 0; copy < copies; copy += 1) this.#track(this.#deliver(attempt, delay?.milliseconds ?? 0));
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  /** Until another delivery was answered, or a few seconds when there is none. */
  #hold(attempt: Attempt): void {
    const released = new Promise<void>((resolve) => {
      this.#held.push(resolve);
      this.#timer(resolve, longestHold);
    });
    this.#track(released.then(() => this.#deliver(attempt, 0)));
  }

  #timer(callback: () => void, milliseconds: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, milliseconds);
    this.#timers.add(timer);
  }

  #headers({ guid, event, payload }: Attempt): Record<string, string> {
    return {
      accept: '*/*',
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/5a6d8c2',
      'x-github-delivery': guid,
      'x-github-event': event,
      'x-github-hook-id': String(hookId),
      'x-github-hook-installation-target-id': String(this.#options.appId),
      'x-github-hook-installation-target-type': 'integration',
      'x-hub-signature': sign('sha1', this.#options.secret, payload),
      'x-hub-signature-256': sign('sha256', this.#options.secret, payload),
    };
  }

  async #deliver(attempt: Attempt, delay: number): Promise<void> {
    if (delay > 0) await new Promise<void>((resolve) => this.#timer(resolve, delay));
    const { table, now } = this.#options;
    const requestHeaders = this.#headers(attempt);
    const { id } = table.insert({ ...attempt, deliveredAt: now(), requestHeaders, outcome: { kind: 'pending' } });
    const outcome = await post(attempt.url, requestHeaders, attempt.payload);
    table.update(id, { outcome });
    const held = this.#held;
    this.#held = [];
    for (const release of held) release();
  }
}

async function post(url: string, headers: Record<string, string>, payload: string): Promise<DeliveryOutcome> {
  const started = performance.now();
  const seconds = () => Math.round(performance.now() - started) / 1000;
  try {
    const signal = AbortSignal.timeout(timeoutMilliseconds);
    const response = await fetch(url, { method: 'POST', headers, body: payload, redirect: 'manual', signal });
    const body = (await response.text()).slice(0, keptAnswerBytes);
    const status = response.ok ? 'OK' : `Invalid HTTP Response: ${response.status}`;
    const answered = Object.fromEntries(response.headers);
    return { kind: 'answered', status, statusCode: response.status, seconds: seconds(), headers: answered, body };
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'TimeoutError';
    const status = timedOut ? 'timed out' : 'failed to connect to host';
    return { kind: 'failed', status, statusCode: timedOut ? 504 : 502, seconds: seconds() };
  }
}
