/** Sends signed webhooks, once each and without retries, and remembers every attempt for the deliveries API. */
import { createHmac, randomUUID } from 'node:crypto';
import type { DeliveryFaultKind, Faults } from '../faults.ts';
import type { Delivery, DeliveryOutcome } from '../state/model.ts';
import type { Table } from '../state/table.ts';

export const hookId = 500_001;
const timeoutMilliseconds = 10_000;
const retentionMilliseconds = 3 * 24 * 3_600_000;
const longestHold = 3_000;
const keptAnswerCharacters = 4_096;
const largestPayload = 25 * 1024 * 1024;

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

function unreached(seconds: number): DeliveryOutcome {
  return { kind: 'failed', status: 'failed to connect to host', statusCode: 502, seconds };
}

export class Deliveries {
  /** `null`: the App has no webhook, nothing is sent and nothing remembered. */
  url: string | null;
  readonly #options: DeliveriesOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #closing = new AbortController();
  #held: { readonly event: string; readonly release: () => void }[] = [];

  constructor(options: DeliveriesOptions) {
    this.#options = options;
    this.url = options.url;
    // Under way when an earlier run ended, so nobody knows whether they arrived.
    this.#failPending();
  }

  /** A payload beyond GitHub's cap is not sent, as on GitHub. */
  send({ payload, ...webhook }: Webhook): void {
    const text = JSON.stringify(payload);
    if (this.url === null || Buffer.byteLength(text) > largestPayload) return;
    this.#dispatch({ ...webhook, guid: randomUUID(), redelivery: false, payload: text, url: this.url });
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

  /** What has ended, newest first; GitHub keeps three days. */
  list(): Delivery[] {
    const oldest = this.#options.now() - retentionMilliseconds;
    return this.#options.table
      .filter(({ deliveredAt, outcome }) => deliveredAt >= oldest && outcome.kind !== 'pending')
      .reverse();
  }

  /** Resolves when nothing is being delivered, delayed or held back. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled([...this.#running]);
  }

  /** What was not delivered yet counts as failed, and can be asked for after a restart. */
  async close(): Promise<void> {
    this.url = null;
    this.#closing.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    await new Promise((resolve) => setImmediate(resolve));
    this.#failPending();
  }

  #failPending(): void {
    const { table } = this.#options;
    for (const { id } of table.filter(({ outcome }) => outcome.kind === 'pending'))
      table.update(id, { outcome: unreached(0) });
  }

  #fault<K extends DeliveryFaultKind>(kind: K, { event, action }: Attempt) {
    return this.#options.faults.take(kind, action === null ? [event] : [event, `${event}.${action}`]);
  }

  #dispatch(attempt: Attempt): void {
    if (this.#fault('lose', attempt) !== undefined) {
      this.#record(attempt, unreached(0));
      return;
    }
    const wait =
      this.#fault('reorder', attempt) === undefined
        ? this.#timer(this.#fault('delay', attempt)?.milliseconds ?? 0)
        : this.#hold(attempt.event);
    const copies = this.#fault('duplicate', attempt) === undefined ? 1 : 2;
    for (let copy = 0; copy < copies; copy += 1) {
      const delivery = this.#record(attempt, { kind: 'pending' });
      this.#track(wait === null ? this.#deliver(delivery) : wait.then(() => this.#deliver(delivery)));
    }
  }

  #record(attempt: Attempt, outcome: DeliveryOutcome): Delivery {
    const { table, now } = this.#options;
    return table.insert({ ...attempt, deliveredAt: now(), requestHeaders: this.#headers(attempt), outcome });
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  /** Until another delivery of the event was answered, or a few seconds when there is none. */
  #hold(event: string): Promise<void> {
    const answered = new Promise<void>((release) => this.#held.push({ event, release }));
    return Promise.race([answered, this.#timer(longestHold) ?? answered]);
  }

  #timer(milliseconds: number): Promise<void> | null {
    if (milliseconds === 0) return null;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, milliseconds);
      this.#timers.add(timer);
    });
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

  async #deliver({ id, event, url, payload, requestHeaders }: Delivery): Promise<void> {
    const outcome = await post(url, { headers: requestHeaders, payload, closing: this.#closing.signal });
    this.#options.table.update(id, { outcome });
    const due = this.#held.filter((held) => held.event === event);
    this.#held = this.#held.filter((held) => held.event !== event);
    for (const { release } of due) release();
  }
}

interface Post {
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
  readonly closing: AbortSignal;
}

async function post(url: string, { headers, payload, closing }: Post): Promise<DeliveryOutcome> {
  const started = performance.now();
  const seconds = () => Math.round(performance.now() - started) / 1000;
  const deadline = AbortSignal.timeout(timeoutMilliseconds);
  try {
    const signal = AbortSignal.any([deadline, closing]);
    const response = await fetch(url, { method: 'POST', headers, body: payload, redirect: 'manual', signal });
    const body = (await response.text()).slice(0, keptAnswerCharacters);
    const status = response.ok ? 'OK' : `Invalid HTTP Response: ${response.status}`;
    const answered = Object.fromEntries(response.headers);
    return { kind: 'answered', status, statusCode: response.status, seconds: seconds(), headers: answered, body };
  } catch {
    // Whatever kept it from being answered, GitHub knows two words for it.
    if (!deadline.aborted) return unreached(seconds());
    return { kind: 'failed', status: 'timed out', statusCode: 504, seconds: seconds() };
  }
}
