/** Hears what other processes committed: one connection that listens for all topics of this process. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { channel } from './notify.ts';
import { Subscriptions, type WaitOptions, type WakeCause, type WakeListener } from './subscriptions.ts';

export interface Wake {
  /** Calls the listener after each change, and after times when changes may have been missed. Returns what ends it. */
  subscribe(topic: string, listener: WakeListener): () => void;
  /**
   * Subscribes at the call. A wake-up says that something changed, so whoever waits reads again:
   *
   *     const change = wake.waitFor(topic, { timeoutMs, signal });
   *     const state = await read();          // what changes from here on is heard
   *     if (isNews(state)) return state;     // abort `signal` to end the wait
   *     await change;
   */
  waitFor(topic: string, options: WaitOptions): Promise<WakeCause>;
  close(): Promise<void>;
}

/** What this module says of its own accord; a pino logger fits. */
export interface WakeLog {
  warn(fields: object, message: string): void;
}

export interface WakeOptions {
  log?: WakeLog;
  /** Milliseconds between looks at whether the connection still answers; 10,000 by default. */
  checkMs?: number;
}

const answerWithinMs = 5_000;

/** @returns when it listens. Rejects when the database cannot be reached; later losses are repaired. */
export async function openWake(databaseUrl: string, options: WakeOptions = {}): Promise<Wake> {
  const listener = new Listener(databaseUrl, options);
  await listener.connect();
  return {
    subscribe: (topic, onWake) => listener.subscriptions.add(topic, onWake),
    waitFor: (topic, wait) => listener.subscriptions.waitFor(topic, wait),
    close: () => listener.close(),
  };
}

class Listener {
  readonly subscriptions = new Subscriptions();
  readonly #url: string;
  readonly #options: WakeOptions;
  #client: pg.Client | null = null;
  #checks: NodeJS.Timeout | null = null;
  readonly #closed = new AbortController();

  constructor(url: string, options: WakeOptions) {
    this.#url = url;
    this.#options = options;
  }

  async connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'landfall wake',
      keepAlive: true,
      connectionTimeoutMillis: answerWithinMs,
      query_timeout: answerWithinMs,
    });
    client.on('notification', ({ payload }) => this.subscriptions.wake(payload ?? ''));
    client.on('error', (error) => this.#lose(client, error));
    client.on('end', () => this.#lose(client, null));
    try {
      await client.connect();
      await client.query(`LISTEN ${channel}`);
      this.#closed.signal.throwIfAborted();
    } catch (error) {
      await discard(client);
      throw error;
    }
    this.#client = client;
    this.#checks = setInterval(() => this.#check(client), this.#options.checkMs ?? 10_000).unref();
  }

  /** A connection that was cut without a word would else stay silent for hours. */
  #check(client: pg.Client): void {
    client.query('SELECT 1').catch((error: unknown) => this.#lose(client, error));
  }

  #lose(client: pg.Client, error: unknown): void {
    if (this.#client !== client) return;
    this.#client = null;
    this.#stopChecks();
    void discard(client);
    if (this.#isClosed()) return;
    this.#options.log?.warn({ err: error }, 'the connection that listens for changes was lost; connecting again');
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    for (let pauseMs = 50; !this.#isClosed(); pauseMs = Math.min(pauseMs * 2, 5_000)) {
      try {
        await this.connect();
        // Nobody knows what was committed meanwhile.
        this.subscriptions.wakeAll();
        return;
      } catch (error) {
        if (this.#isClosed()) return;
        this.#options.log?.warn({ err: error, retryInMs: pauseMs }, 'the database cannot be listened to');
        await delay(pauseMs, undefined, { ref: false });
      }
    }
  }

  #isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  #stopChecks(): void {
    if (this.#checks !== null) clearInterval(this.#checks);
    this.#checks = null;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#stopChecks();
    const client = this.#client;
    this.#client = null;
    // Whoever waits reads once more, and ends.
    this.subscriptions.wakeAll();
    await client?.end();
  }
}

/** Ends a connection of which nothing more is expected, its farewell included. */
async function discard(client: pg.Client): Promise<void> {
  await Promise.allSettled([client.end()]);
}
