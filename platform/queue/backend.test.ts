import { expect, it } from 'vitest';
import type { StalledError } from '../errors/errors.ts';
import { openBackend } from './backend.ts';

const options = { poolSize: 1, onError: () => undefined };

it.each([
  ['redis://user:canary@127.0.0.1:1/0', 'Redis at 127.0.0.1:1'],
  ['postgres://user:canary@127.0.0.1:1/queue', 'PostgreSQL at 127.0.0.1:1'],
])('says what cannot be reached at %s, why, and which variable names it', async (url, where) => {
  const error = await openBackend(url, options).catch((thrown: unknown) => thrown as StalledError);
  expect(error).toMatchObject({ code: 'queue_unreachable', hint: expect.stringContaining('QUEUE_URL') as string });
  const { message } = error as StalledError;
  expect(message).toContain(`The queue cannot be reached: ${where}: connect ECONNREFUSED`);
  expect(message).not.toContain('canary');
});
