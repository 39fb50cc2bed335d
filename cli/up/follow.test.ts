import { expect, it } from 'vitest';
import { UnreachableError, type ApiClient } from '../client.ts';
import { awaitServing, followPush } from './follow.ts';

/** A server that answers nothing `silent` times, and then as `answer` does. */
function interrupted(silent: number, answer: unknown): { api: ApiClient; calls: () => number } {
  let calls = 0;
  const call = (): Promise<unknown> =>
    ++calls <= silent ? Promise.reject(new UnreachableError('No control plane answers.')) : Promise.resolve(answer);
  return { api: { call: call as ApiClient['call'] }, calls: () => calls };
}

it('asks again when the server is away while it is started again', async () => {
  const { api, calls } = interrupted(3, { allocations: [], projects: [] });
  expect(await awaitServing(api, { port: 8080, signal: AbortSignal.timeout(5_000) })).toBeNull();
  expect(calls()).toBe(5);
});

it('says that it does not answer when the time is over', async () => {
  const { api } = interrupted(Infinity, null);
  await expect(awaitServing(api, { port: 8080, signal: AbortSignal.abort() })).rejects.toThrow(UnreachableError);
});

it('does not ask again what was refused', async () => {
  let calls = 0;
  const call = (): Promise<never> => {
    calls++;
    return Promise.reject(new Error('refused'));
  };
  const follow = { sha: 'a', pushedAt: 0, port: 8080, signal: AbortSignal.timeout(5_000), onStage: () => undefined };
  await expect(followPush({ call }, follow)).rejects.toThrow('refused');
  expect(calls).toBe(1);
});
