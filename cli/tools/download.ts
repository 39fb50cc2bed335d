/** Downloads a release archive and refuses it unless its bytes have the pinned SHA-256. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StalledError } from '../../platform/errors/errors.ts';
import type { Release } from './pins.ts';

/** The address could not be reached, did not answer in time, or has no such file: another route may still do. */
export class ReleaseUnreachable extends Error {
  override readonly name = 'ReleaseUnreachable';
}

export interface DownloadLimits {
  /** Until the answer's headers are here. Short: a machine without internet should not wait. */
  answerWithinMs: number;
  /** Between two pieces of the body. */
  silentAtMostMs: number;
}

export const defaultLimits: DownloadLimits = { answerWithinMs: 8_000, silentAtMostMs: 30_000 };

/** Aborts when `tick` has not been called for the given time. */
class Watch {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  readonly signal: AbortSignal;

  constructor(signal: AbortSignal | undefined) {
    this.signal = signal === undefined ? this.#controller.signal : AbortSignal.any([signal, this.#controller.signal]);
  }

  expectWithin(ms: number, what: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(new Error(`${what} within ${ms / 1000} s`)), ms);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

async function fetchBody(url: string, watch: Watch): Promise<Readable> {
  const response = await fetch(url, { signal: watch.signal, redirect: 'follow' });
  if (!response.ok || response.body === null) throw new Error(`it answered ${response.status}`);
  return Readable.fromWeb(response.body);
}

/** Writes the body to `file` and returns its SHA-256. */
async function save(url: string, file: string, limits: DownloadLimits, signal?: AbortSignal): Promise<string> {
  const watch = new Watch(signal);
  const hash = createHash('sha256');
  try {
    watch.expectWithin(limits.answerWithinMs, 'no answer came');
    const body = await fetchBody(url, watch);
    const hashed = new Transform({
      transform(piece: Buffer, _encoding, done) {
        watch.expectWithin(limits.silentAtMostMs, 'no more bytes came');
        hash.update(piece);
        done(null, piece);
      },
    });
    await pipeline(body, hashed, createWriteStream(file, { flags: 'wx' }), { signal: watch.signal });
    return hash.digest('hex');
  } catch (error) {
    signal?.throwIfAborted();
    const reason = watch.signal.aborted ? reasonOf(watch.signal.reason) : reasonOf(error);
    throw new ReleaseUnreachable(`${url} could not be downloaded: ${reason}`, { cause: error });
  } finally {
    watch.end();
  }
}

/**
 * Downloads to `file`, which exists afterwards only with the right bytes.
 * @throws StalledError `tool_checksum` for other bytes than those pinned; ReleaseUnreachable for none.
 */
export async function downloadVerified(
  release: Release,
  file: string,
  options: { limits?: DownloadLimits; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  try {
    const sha256 = await save(release.url, file, options.limits ?? defaultLimits, options.signal);
    if (sha256 !== release.sha256) throw wrongChecksum(release, sha256);
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

function wrongChecksum(release: Release, sha256: string): StalledError {
  return new StalledError(
    'tool_checksum',
    `${release.url} has the SHA-256 ${sha256}, and ${release.sha256} is pinned: the file is not what it should be. It was removed, and nothing was installed from it.`,
    { hint: 'Try another network; when it stays so, compare with the checksum the project publishes and report it.' },
  );
}
