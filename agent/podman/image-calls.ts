/** The calls of the engine's API that are about images. */
import type { IncomingMessage } from 'node:http';
import type { RegistryCredentials } from '../registry/credentials.ts';
import * as answers from './answers.ts';
import { EngineError, unlessAbsent } from './errors.ts';
import { eachLine } from './lines.ts';
import type { EngineSocket } from './socket.ts';

export interface PullOptions {
  /** `registry/repository@sha256:…` */
  image: string;
  /** Plain HTTP, or a certificate nobody signed, is accepted. */
  insecure: boolean;
  credentials: RegistryCredentials | null;
  signal: AbortSignal;
}

export function imageCalls(socket: EngineSocket) {
  return {
    imageExists: async (image: string): Promise<boolean> => {
      const call = socket.call({ method: 'GET', path: `/images/${encodeURIComponent(image)}/exists` });
      return (await unlessAbsent(call)) !== null;
    },

    images: async (): Promise<answers.ListedImage[]> =>
      answers.parseImages((await socket.call({ method: 'GET', path: '/images/json' })).body),

    /** Takes away this name; the image goes with its last one. Refused while a container uses it. */
    removeImage: async (name: string, signal?: AbortSignal): Promise<void> => {
      const path = `/images/${encodeURIComponent(name)}`;
      await unlessAbsent(socket.call({ method: 'DELETE', path, query: { force: false }, deadlineMs: 120_000, signal }));
    },

    pull: async (options: PullOptions): Promise<void> => {
      const answer = await socket.stream({
        method: 'POST',
        path: '/images/pull',
        query: { reference: options.image, tlsVerify: !options.insecure, policy: 'missing' },
        headers: authHeader(options.credentials),
        // The engine answers before the first byte is fetched; the caller's signal bounds the rest.
        deadlineMs: 600_000,
        signal: options.signal,
      });
      await followPull(answer, options.image);
    },
  };
}

/** base64url as the engine reads it: with its padding. */
export function authHeader(credentials: RegistryCredentials | null): Record<string, string> {
  if (credentials === null) return {};
  const encoded = Buffer.from(JSON.stringify(credentials)).toString('base64');
  return { 'x-registry-auth': encoded.replaceAll('+', '-').replaceAll('/', '_') };
}

async function followPull(answer: IncomingMessage, image: string): Promise<void> {
  const outcome = { pulled: false, failure: '' };
  await eachLine(answer, (line) => {
    const progress = answers.parsePullProgress(line);
    outcome.failure = progress.error ?? outcome.failure;
    outcome.pulled ||= progress.id !== undefined;
  });
  if (outcome.failure !== '') throw new EngineError('pull_failed', outcome.failure);
  if (!outcome.pulled) throw new EngineError('pull_failed', `The pull of ${image} ended without an image.`);
}
